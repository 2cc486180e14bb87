package org.softkvm.kvm.abi;

import static org.softkvm.kvm.abi.Fields.getByte;
import static org.softkvm.kvm.abi.Fields.getInt;
import static org.softkvm.kvm.abi.Fields.getLong;
import static org.softkvm.kvm.abi.Fields.getShort;
import static org.softkvm.kvm.abi.Fields.offset;
import static org.softkvm.kvm.abi.Fields.putByte;
import static org.softkvm.kvm.abi.Fields.putFlag;
import static org.softkvm.kvm.abi.Fields.putInt;
import static org.softkvm.kvm.abi.Fields.putLong;
import static org.softkvm.kvm.abi.Fields.putShort;

import java.lang.foreign.MemorySegment;
import org.softkvm.kvm.IoapicState;
import org.softkvm.kvm.PicState;
import org.softkvm.kvm.PitState;

/** PIC, IOAPIC and PIT: between the API's objects and the structures. Allocates nothing. */
public final class ChipCodec {
    /** Where the state of the chip begins in struct kvm_irqchip. */
    public static final long CHIP = offset(VmStructs.IRQCHIP, "chip");

    private static final long PIC_LAST_IRR = CHIP + offset(VmStructs.PIC_STATE, "last_irr");
    private static final long PIC_IRR = CHIP + offset(VmStructs.PIC_STATE, "irr");
    private static final long PIC_IMR = CHIP + offset(VmStructs.PIC_STATE, "imr");
    private static final long PIC_ISR = CHIP + offset(VmStructs.PIC_STATE, "isr");
    private static final long PIC_PRIORITY_ADD = CHIP + offset(VmStructs.PIC_STATE, "priority_add");
    private static final long PIC_IRQ_BASE = CHIP + offset(VmStructs.PIC_STATE, "irq_base");
    private static final long PIC_READ_REG_SELECT = CHIP + offset(VmStructs.PIC_STATE, "read_reg_select");
    private static final long PIC_POLL = CHIP + offset(VmStructs.PIC_STATE, "poll");
    private static final long PIC_SPECIAL_MASK = CHIP + offset(VmStructs.PIC_STATE, "special_mask");
    private static final long PIC_INIT_STATE = CHIP + offset(VmStructs.PIC_STATE, "init_state");
    private static final long PIC_AUTO_EOI = CHIP + offset(VmStructs.PIC_STATE, "auto_eoi");
    private static final long PIC_ROTATE_ON_AUTO_EOI = CHIP + offset(VmStructs.PIC_STATE, "rotate_on_auto_eoi");
    private static final long PIC_SPECIAL_FULLY_NESTED_MODE =
            CHIP + offset(VmStructs.PIC_STATE, "special_fully_nested_mode");
    private static final long PIC_INIT4 = CHIP + offset(VmStructs.PIC_STATE, "init4");
    private static final long PIC_ELCR = CHIP + offset(VmStructs.PIC_STATE, "elcr");
    private static final long PIC_ELCR_MASK = CHIP + offset(VmStructs.PIC_STATE, "elcr_mask");

    private static final long IOAPIC_BASE_ADDRESS = CHIP + offset(VmStructs.IOAPIC_STATE, "base_address");
    private static final long IOAPIC_IOREGSEL = CHIP + offset(VmStructs.IOAPIC_STATE, "ioregsel");
    private static final long IOAPIC_ID = CHIP + offset(VmStructs.IOAPIC_STATE, "id");
    private static final long IOAPIC_IRR = CHIP + offset(VmStructs.IOAPIC_STATE, "irr");
    private static final long IOAPIC_REDIRTBL = CHIP + offset(VmStructs.IOAPIC_STATE, "redirtbl");

    private static final long PIT_COUNT = offset(VmStructs.PIT_CHANNEL_STATE, "count");
    private static final long PIT_LATCHED_COUNT = offset(VmStructs.PIT_CHANNEL_STATE, "latched_count");
    private static final long PIT_COUNT_LATCHED = offset(VmStructs.PIT_CHANNEL_STATE, "count_latched");
    private static final long PIT_STATUS_LATCHED = offset(VmStructs.PIT_CHANNEL_STATE, "status_latched");
    private static final long PIT_STATUS = offset(VmStructs.PIT_CHANNEL_STATE, "status");
    private static final long PIT_READ_STATE = offset(VmStructs.PIT_CHANNEL_STATE, "read_state");
    private static final long PIT_WRITE_STATE = offset(VmStructs.PIT_CHANNEL_STATE, "write_state");
    private static final long PIT_WRITE_LATCH = offset(VmStructs.PIT_CHANNEL_STATE, "write_latch");
    private static final long PIT_RW_MODE = offset(VmStructs.PIT_CHANNEL_STATE, "rw_mode");
    private static final long PIT_MODE = offset(VmStructs.PIT_CHANNEL_STATE, "mode");
    private static final long PIT_BCD = offset(VmStructs.PIT_CHANNEL_STATE, "bcd");
    private static final long PIT_GATE = offset(VmStructs.PIT_CHANNEL_STATE, "gate");
    private static final long PIT_COUNT_LOAD_TIME = offset(VmStructs.PIT_CHANNEL_STATE, "count_load_time");
    private static final long PIT_CHANNEL = VmStructs.PIT_CHANNEL_STATE.byteSize();
    private static final long PIT_FLAGS = offset(VmStructs.PIT_STATE2, "flags");

    private ChipCodec() {}

    /** Writes a PIC into struct kvm_irqchip. */
    public static void put(PicState from, MemorySegment to) {
        putByte(to, PIC_LAST_IRR, from.lastIrr);
        putByte(to, PIC_IRR, from.irr);
        putByte(to, PIC_IMR, from.imr);
        putByte(to, PIC_ISR, from.isr);
        putByte(to, PIC_PRIORITY_ADD, from.priorityAdd);
        putByte(to, PIC_IRQ_BASE, from.irqBase);
        putFlag(to, PIC_READ_REG_SELECT, from.readRegSelect);
        putFlag(to, PIC_POLL, from.poll);
        putFlag(to, PIC_SPECIAL_MASK, from.specialMask);
        putByte(to, PIC_INIT_STATE, from.initState);
        putFlag(to, PIC_AUTO_EOI, from.autoEoi);
        putFlag(to, PIC_ROTATE_ON_AUTO_EOI, from.rotateOnAutoEoi);
        putFlag(to, PIC_SPECIAL_FULLY_NESTED_MODE, from.specialFullyNestedMode);
        putFlag(to, PIC_INIT4, from.init4);
        putByte(to, PIC_ELCR, from.elcr);
        putByte(to, PIC_ELCR_MASK, from.elcrMask);
    }

    /** Reads a PIC from struct kvm_irqchip. */
    public static void get(MemorySegment from, PicState to) {
        to.lastIrr = getByte(from, PIC_LAST_IRR);
        to.irr = getByte(from, PIC_IRR);
        to.imr = getByte(from, PIC_IMR);
        to.isr = getByte(from, PIC_ISR);
        to.priorityAdd = getByte(from, PIC_PRIORITY_ADD);
        to.irqBase = getByte(from, PIC_IRQ_BASE);
        to.readRegSelect = getByte(from, PIC_READ_REG_SELECT) != 0;
        to.poll = getByte(from, PIC_POLL) != 0;
        to.specialMask = getByte(from, PIC_SPECIAL_MASK) != 0;
        to.initState = getByte(from, PIC_INIT_STATE);
        to.autoEoi = getByte(from, PIC_AUTO_EOI) != 0;
        to.rotateOnAutoEoi = getByte(from, PIC_ROTATE_ON_AUTO_EOI) != 0;
        to.specialFullyNestedMode = getByte(from, PIC_SPECIAL_FULLY_NESTED_MODE) != 0;
        to.init4 = getByte(from, PIC_INIT4) != 0;
        to.elcr = getByte(from, PIC_ELCR);
        to.elcrMask = getByte(from, PIC_ELCR_MASK);
    }

    /** Writes the IOAPIC into struct kvm_irqchip. */
    public static void put(IoapicState from, MemorySegment to) {
        putLong(to, IOAPIC_BASE_ADDRESS, from.baseAddress);
        putInt(to, IOAPIC_IOREGSEL, from.ioregsel);
        putInt(to, IOAPIC_ID, from.id);
        putInt(to, IOAPIC_IRR, from.irr);
        for (int pin = 0; pin < IoapicState.PINS; pin++) {
            putLong(to, IOAPIC_REDIRTBL + pin * 8L, from.redirtbl[pin]);
        }
    }

    /** Reads the IOAPIC from struct kvm_irqchip. */
    public static void get(MemorySegment from, IoapicState to) {
        to.baseAddress = getLong(from, IOAPIC_BASE_ADDRESS);
        to.ioregsel = getInt(from, IOAPIC_IOREGSEL);
        to.id = getInt(from, IOAPIC_ID);
        to.irr = getInt(from, IOAPIC_IRR);
        for (int pin = 0; pin < IoapicState.PINS; pin++) {
            to.redirtbl[pin] = getLong(from, IOAPIC_REDIRTBL + pin * 8L);
        }
    }

    /** Writes struct kvm_pit_state2, or (without flags) kvm_pit_state. */
    public static void put(PitState from, MemorySegment to, boolean withFlags) {
        for (int i = 0; i < from.channels.length; i++) {
            PitState.Channel channel = from.channels[i];
            long base = i * PIT_CHANNEL;
            putInt(to, base + PIT_COUNT, channel.count);
            putShort(to, base + PIT_LATCHED_COUNT, channel.latchedCount);
            putByte(to, base + PIT_COUNT_LATCHED, channel.countLatched);
            putFlag(to, base + PIT_STATUS_LATCHED, channel.statusLatched);
            putByte(to, base + PIT_STATUS, channel.status);
            putByte(to, base + PIT_READ_STATE, channel.readState);
            putByte(to, base + PIT_WRITE_STATE, channel.writeState);
            putByte(to, base + PIT_WRITE_LATCH, channel.writeLatch);
            putByte(to, base + PIT_RW_MODE, channel.rwMode);
            putByte(to, base + PIT_MODE, channel.mode);
            putFlag(to, base + PIT_BCD, channel.bcd);
            putFlag(to, base + PIT_GATE, channel.gate);
            putLong(to, base + PIT_COUNT_LOAD_TIME, channel.countLoadTime);
        }
        if (withFlags) {
            putInt(to, PIT_FLAGS, from.flags);
        }
    }

    /** Reads struct kvm_pit_state2, or (without flags) kvm_pit_state. */
    public static void get(MemorySegment from, PitState to, boolean withFlags) {
        for (int i = 0; i < to.channels.length; i++) {
            PitState.Channel channel = to.channels[i];
            long base = i * PIT_CHANNEL;
            channel.count = getInt(from, base + PIT_COUNT);
            channel.latchedCount = getShort(from, base + PIT_LATCHED_COUNT);
            channel.countLatched = getByte(from, base + PIT_COUNT_LATCHED);
            channel.statusLatched = getByte(from, base + PIT_STATUS_LATCHED) != 0;
            channel.status = getByte(from, base + PIT_STATUS);
            channel.readState = getByte(from, base + PIT_READ_STATE);
            channel.writeState = getByte(from, base + PIT_WRITE_STATE);
            channel.writeLatch = getByte(from, base + PIT_WRITE_LATCH);
            channel.rwMode = getByte(from, base + PIT_RW_MODE);
            channel.mode = getByte(from, base + PIT_MODE);
            channel.bcd = getByte(from, base + PIT_BCD) != 0;
            channel.gate = getByte(from, base + PIT_GATE) != 0;
            channel.countLoadTime = getLong(from, base + PIT_COUNT_LOAD_TIME);
        }
        to.flags = withFlags ? getInt(from, PIT_FLAGS) : 0;
    }
}
