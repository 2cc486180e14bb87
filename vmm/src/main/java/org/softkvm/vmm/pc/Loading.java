package org.softkvm.vmm.pc;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import org.softkvm.vmm.VmmException;
import org.softkvm.vmm.loader.LoadedGuest;

/** A guest that a thread of its own loads, which takes a second where its kernel is packed. */
final class Loading {
    private final FutureTask<LoadedGuest> task;
    private final Object lock = new Object();
    private boolean abandoned;

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

    /**
     * Writes the guest into a machine on a thread of its own as soon as it is loaded, while the machine is built on.
     *
     * @param write writes it; no more of it is called, and none is running, once {@link #abandon} has returned
     * @return what is to be awaited in place of this
     */
    Loading then(Consumer<LoadedGuest> write) {
        Loading[] written = new Loading[1];
        written[0] = new Loading(() -> written[0].write(await(), write));
        Thread.ofPlatform().daemon().name("softkvm-writer").start(written[0].task);
        return written[0];
    }

    private LoadedGuest write(LoadedGuest guest, Consumer<LoadedGuest> write) {
        synchronized (lock) {
            if (!abandoned) {
                write.accept(guest);
            }
        }
        return guest;
    }

    /** The machine is not to be: waits for a write that has begun, and prevents one that has not. */
    void abandon() {
        synchronized (lock) {
            abandoned = true;
        }
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
