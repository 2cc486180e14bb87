package jdk.test.whitebox;

import java.lang.reflect.Executable;

/**
 * HotSpot's testing interface, as far as SoftKVM asks for it: the VM binds the native methods of a class of this name when
 * it was started with {@code -XX:+UnlockDiagnosticVMOptions -XX:+WhiteBoxAPI} and its boot loader loads the class
 * ({@code -Xbootclasspath/a}), as the launcher does. It is in a jar of its own for that.
 *
 * <p>Source: OpenJDK, {@code src/hotspot/share/prims/whitebox.cpp}.
 */
public final class WhiteBox {
    static {
        registerNatives();
    }

    private WhiteBox() {}

    private static native void registerNatives();

    private native boolean enqueueMethodForCompilation0(Executable method, int level, int bci);

    private native boolean isMethodQueuedForCompilation0(Executable method);

    private native int addCompilerDirective(String directives);

    /**
     * The interface.
     *
     * @throws LinkageError where the VM was not started with it
     */
    public static WhiteBox get() {
        return new WhiteBox();
    }

    /**
     * Asks for a method to be compiled.
     *
     * @param method the method
     * @param level HotSpot's level of compilation: 1 is the fast compiler without profiling
     * @return false where it will not be
     */
    public boolean enqueue(Executable method, int level) {
        return enqueueMethodForCompilation0(method, level, -1);
    }

    /**
     * Adds compiler directives (JEP 165), which count before all that are there.
     *
     * @param directives as in a file of them
     * @return how many there were; 0 where the VM does not understand them
     */
    public int direct(String directives) {
        return addCompilerDirective(directives);
    }

    /**
     * Whether a compilation that was asked for has not ended yet.
     *
     * @param method the method
     */
    public boolean isQueued(Executable method) {
        return isMethodQueuedForCompilation0(method);
    }
}
