package org.softkvm.kvm.linux;

import org.softkvm.kvm.Errno;
import org.softkvm.kvm.Kvm;
import org.softkvm.kvm.KvmException;
import org.softkvm.kvm.KvmProvider;

/** The backend on /dev/kvm. */
public final class DevKvmProvider implements KvmProvider {
    /** The name of the backend. */
    static final String NAME = "kvm";

    /** What the probe said, found out once; empty for nothing against it. */
    private static String verdict;

    /** Made by {@link java.util.ServiceLoader}. */
    public DevKvmProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    /** What makes opening it pointless, without opening it. */
    private static String notHere() {
        if (!System.getProperty("os.name").equals("Linux")) {
            return "/dev/kvm is there on Linux only, and this is " + System.getProperty("os.name");
        }
        if (!System.getProperty("os.arch").equals("amd64")) {
            return "guests are x86, and this processor is " + System.getProperty("os.arch");
        }
        if (!DevKvmProvider.class.getModule().isNativeAccessEnabled()) {
            return "native access is not enabled for it (java --enable-native-access=" + moduleName() + ")";
        }
        return null;
    }

    private static String moduleName() {
        Module module = DevKvmProvider.class.getModule();
        return module.isNamed() ? module.getName() : "ALL-UNNAMED";
    }

    @Override
    public String unavailableBecause() {
        String reason = notHere();
        if (reason != null) {
            return reason;
        }
        try {
            LinuxKvm.open(new KernelCalls(), NAME).close();
            return null;
        } catch (KvmException e) {
            return e.argument();
        }
    }

    @Override
    public String passedOverBecause() {
        synchronized (DevKvmProvider.class) {
            if (verdict == null) {
                try (Kvm kvm = open()) {
                    String reason = Probe.run(kvm);
                    verdict = reason == null ? "" : reason;
                } catch (KvmException e) {
                    verdict = e.argument();
                }
            }
            return verdict.isEmpty() ? null : verdict;
        }
    }

    @Override
    public Kvm open() {
        String reason = notHere();
        if (reason != null) {
            throw new KvmException("open", Errno.ENODEV, "backend " + NAME + ": " + reason);
        }
        return LinuxKvm.open(new KernelCalls(), NAME);
    }
}
