package org.softkvm.vmm.pc;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.loader.LoadedGuest;

/** A guest that a thread of its own loads, which takes a second where its kernel is packed. */
final class Loading {
    private final FutureTask<LoadedGuest> task;

    private Loading(Callable<LoadedGuest> load) {
        task = new FutureTask<>(load);
    }

    /**
     * Begins to load.
     *
     * @param load loads; a {@link VmmException} of it is thrown by {@link #await}
     */
    static Loading start(Callable<LoadedGuest> load) {
        Loading loading = new Loading(load);
        Thread.ofPlatform().daemon().name("softkvm-loader").start(loading.task);
        return loading;
    }

    /** What is loaded already. */
    static Loading of(LoadedGuest guest) {
        Loading loading = new Loading(() -> guest);
        loading.task.run();
        return loading;
    }

    /**
     * Waits for the guest.
     *
     * @throws VmmException if it could not be loaded, or the waiting thread is interrupted
     */
    LoadedGuest await() throws VmmException {
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new VmmException("interrupted while the image was loaded", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof VmmException failure) {
                throw failure;
            }
            if (cause instanceof RuntimeException failure) {
                throw failure;
            }
            if (cause instanceof Error failure) {
                throw failure;
            }
            throw new IllegalStateException(cause);
        }
    }
}
