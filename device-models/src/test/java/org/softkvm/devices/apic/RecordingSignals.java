package org.softkvm.devices.apic;

import java.util.ArrayList;
import java.util.List;

/** Logs what a local APIC tells its processor. */
final class RecordingSignals implements CpuSignals {
    final List<String> log = new ArrayList<>();
    int interruptChanges;
    int extIntChanges;

    @Override
    public void interruptChanged() {
        interruptChanges++;
    }

    @Override
    public void extIntChanged() {
        extIntChanges++;
    }

    @Override
    public void nmi() {
        log.add("nmi");
    }

    @Override
    public void smi() {
        log.add("smi");
    }

    @Override
    public void init() {
        log.add("init");
    }

    @Override
    public void startup(int vector) {
        log.add("startup %02x".formatted(vector));
    }

    @Override
    public void eoiExit(int vector) {
        log.add("eoi-exit %02x".formatted(vector));
    }
}
