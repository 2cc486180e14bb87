package org.softkvm.kvm.linux;

import org.softkvm.kvm.RegisterId;
import org.softkvm.kvm.Segment;

/** The access rights of a segment register as one number; see {@link RegisterId#PART_ACCESS_RIGHTS}. */
final class AccessRights {
    /** All bits that there are. */
    static final long ALL = 0x1F0FF;

    private AccessRights() {}

    static long of(Segment segment) {
        return segment.type
                | segment.s << 4
                | segment.dpl << 5
                | segment.present << 7
                | segment.avl << 12
                | segment.l << 13
                | segment.db << 14
                | segment.g << 15
                | segment.unusable << 16;
    }

    static void set(Segment segment, int rights) {
        segment.type = rights & 0xF;
        segment.s = rights >> 4 & 1;
        segment.dpl = rights >> 5 & 3;
        segment.present = rights >> 7 & 1;
        segment.avl = rights >> 12 & 1;
        segment.l = rights >> 13 & 1;
        segment.db = rights >> 14 & 1;
        segment.g = rights >> 15 & 1;
        segment.unusable = rights >> 16 & 1;
    }
}
