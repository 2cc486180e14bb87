package org.softkvm.devices.apic;

import java.util.ArrayList;
import java.util.List;

/** A bus that leads nowhere and remembers. */
final class RecordingBus implements ApicBus {
    final List<Long> sent = new ArrayList<>();
    final List<Long> sentToOthers = new ArrayList<>();
    final List<Integer> eois = new ArrayList<>();
    int result = 1;

    @Override
    public int send(long message) {
        sent.add(message);
        return result;
    }

    @Override
    public int sendToOthers(long message, Receiver sender) {
        sentToOthers.add(message);
        return result;
    }

    @Override
    public void endOfInterrupt(int vector) {
        eois.add(vector);
    }
}
