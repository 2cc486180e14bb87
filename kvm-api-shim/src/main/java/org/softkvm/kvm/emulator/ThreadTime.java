package org.softkvm.kvm.emulator;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/** What the host charges the present thread with. The classes behind it are loaded when somebody first asks. */
final class ThreadTime {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final boolean KNOWN = THREADS.isCurrentThreadCpuTimeSupported() && THREADS.isThreadCpuTimeEnabled();

    private ThreadTime() {}

    /** Nanoseconds, or -1 where the host does not tell. */
    static long nanos() {
        return KNOWN ? THREADS.getCurrentThreadCpuTime() : -1;
    }
}
