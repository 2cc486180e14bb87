package org.softkvm.emulator.translate;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.util.concurrent.locks.LockSupport;

/**
 * Compiles narrow regions by HotSpot's fast compiler before they run for the first time.
 *
 * <p>Left to itself HotSpot interprets a region first, compiles it with counters, and once more without them. The VM
 * compiles on demand only for its own tests ({@link jdk.test.whitebox.WhiteBox}); where the launcher's flags are missing,
 * HotSpot is left to itself.
 */
public final class FastCompilation {
    /** HotSpot's level of compilation for code of the fast compiler (C1) without profiling. */
    private static final int SIMPLE = 1;

    /** Nanoseconds between two looks whether a compilation has ended. */
    private static final int PERIOD = 200_000;

    private static final MethodHandle ENQUEUE;
    private static final MethodHandle IS_QUEUED;
    private static final MethodHandle DIRECT;

    private static final String HANDLERS_BY_C1 =
            "[{ match: \"org/softkvm/emulator/exec/Handler$*.*\", c2: { Exclude: true } }]";

    private static boolean handlersByC1;

    static {
        MethodHandle enqueue = null;
        MethodHandle isQueued = null;
        MethodHandle direct = null;
        try {
            // Only the boot loader's class has natives, which is not the one that this module sees.
            Class<?> type = Class.forName("jdk.test.whitebox.WhiteBox", true, null);
            Object whiteBox = type.getMethod("get").invoke(null);
            MethodHandles.Lookup lookup = MethodHandles.publicLookup();
            enqueue = lookup.unreflect(type.getMethod("enqueue", Executable.class, int.class))
                    .bindTo(whiteBox);
            isQueued = lookup.unreflect(type.getMethod("isQueued", Executable.class))
                    .bindTo(whiteBox);
            direct = lookup.unreflect(type.getMethod("direct", String.class)).bindTo(whiteBox);
        } catch (ReflectiveOperationException | LinkageError e) {
            // Not started with it.
        }
        ENQUEUE = enqueue;
        IS_QUEUED = isQueued;
        DIRECT = direct;
    }

    private FastCompilation() {}

    /**
     * Leaves the interpreter's handlers to the fast compiler, in all of this VM and for good: where hot code is translated
     * they execute cold code, and the best compiler's time is lost on them. A guest that is only interpreted beside it runs
     * 15 to 20 percent slower.
     */
    public static synchronized void spareHandlers() {
        if (DIRECT == null || handlersByC1) {
            return;
        }
        handlersByC1 = true;
        try {
            int added = (int) DIRECT.invokeExact(HANDLERS_BY_C1);
        } catch (UnsatisfiedLinkError e) {
            // The class is there, but the VM was not told to bind it.
        } catch (Throwable e) {
            throw new IllegalStateException("compiler directives", e);
        }
    }

    /**
     * Compiles a region, and returns when it is compiled.
     *
     * @param region the region, which has not run yet
     * @return false where this VM compiles nothing on demand, or not this region
     */
    public static boolean compile(Region region) {
        if (ENQUEUE == null) {
            return false;
        }
        try {
            Method run = region.getClass().getDeclaredMethod("run", int.class);
            boolean queued = (boolean) ENQUEUE.invokeExact((Executable) run, SIMPLE);
            // With the launcher's compiler directives that has waited; compilations that are waited for come first.
            while (queued && (boolean) IS_QUEUED.invokeExact((Executable) run)) {
                LockSupport.parkNanos(PERIOD);
            }
            return queued;
        } catch (UnsatisfiedLinkError e) {
            // The class is there, but the VM was not told to bind it.
            return false;
        } catch (Throwable e) {
            throw new IllegalStateException(region.getClass().getName(), e);
        }
    }
}
