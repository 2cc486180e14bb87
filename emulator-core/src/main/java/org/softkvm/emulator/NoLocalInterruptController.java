package org.softkvm.emulator;

/** The absent local APIC; CR8 still holds its four bits. */
final class NoLocalInterruptController implements LocalInterruptController {
    private static final int NOTHING = -1;

    @Override
    public int pendingVector() {
        return NOTHING;
    }

    @Override
    public int acknowledge() {
        return NOTHING;
    }

    @Override
    public int cr8() {
        return 0;
    }

    @Override
    public void setCr8(int value) {
        // Without a local APIC the task priority has no effect; it is shared by all vcpus that have none.
    }

    @Override
    public boolean ownsMsr(int index) {
        return false;
    }

    @Override
    public long readMsr(int index) {
        return 0;
    }

    @Override
    public boolean writeMsr(int index, long value) {
        return false;
    }

    @Override
    public boolean canReadMsr(int index) {
        return false;
    }

    @Override
    public long mmioPage() {
        return NOTHING;
    }

    @Override
    public long readMmio(int offset, int size) {
        return NOTHING;
    }

    @Override
    public void writeMmio(int offset, int size, long value) {
        // There is no window, so no access arrives.
    }
}
