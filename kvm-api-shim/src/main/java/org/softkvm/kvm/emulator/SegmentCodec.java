package org.softkvm.kvm.emulator;

import org.softkvm.emulator.VirtualCpu;
import org.softkvm.kvm.Segment;

/**
 * Segment registers of the core and of the API. The core's attributes, and the access rights of
 * {@link org.softkvm.kvm.RegisterId}, are bits 23:8 of a descriptor's upper half and, in bit 16, 'unusable'.
 */
final class SegmentCodec {
    static final int ES = 0;
    static final int CS = 1;
    static final int SS = 2;
    static final int DS = 3;
    static final int FS = 4;
    static final int GS = 5;
    static final int LDTR = 6;
    static final int TR = 7;

    /** The bits of access rights that mean something. */
    static final int ATTRIBUTES = 0x1F0FF;

    private SegmentCodec() {}

    static void get(VirtualCpu cpu, int number, Segment segment) {
        int attributes = cpu.segmentAttributes(number);
        segment.selector = cpu.segmentSelector(number) & 0xFFFF;
        segment.base = cpu.segmentBase(number);
        segment.limit = (int) cpu.segmentLimit(number);
        segment.type = attributes & 0xF;
        segment.s = attributes >> 4 & 1;
        segment.dpl = attributes >> 5 & 3;
        segment.present = attributes >> 7 & 1;
        segment.avl = attributes >> 12 & 1;
        segment.l = attributes >> 13 & 1;
        segment.db = attributes >> 14 & 1;
        segment.g = attributes >> 15 & 1;
        segment.unusable = attributes >> 16 & 1;
    }

    static void set(VirtualCpu cpu, int number, Segment segment) {
        int attributes = segment.type & 0xF
                | (segment.s & 1) << 4
                | (segment.dpl & 3) << 5
                | (segment.present & 1) << 7
                | (segment.avl & 1) << 12
                | (segment.l & 1) << 13
                | (segment.db & 1) << 14
                | (segment.g & 1) << 15;
        if (segment.unusable != 0 || segment.present == 0) {
            attributes |= 1 << 16;
        }
        cpu.setSegment(
                number, segment.selector & 0xFFFF, segment.base, Integer.toUnsignedLong(segment.limit), attributes);
    }
}
