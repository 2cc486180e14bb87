package org.softkvm.emulator.fuzz;

import org.softkvm.emulator.CpuModel;

/** The CPU modes in which random bytes are run. */
enum FuzzMode {
    REAL_8086(CpuModel.I8086, Kind.REAL, Paging.NONE, 0, 16),
    REAL_286(CpuModel.I286, Kind.REAL, Paging.NONE, 0, 16),
    REAL(CpuModel.MAX, Kind.REAL, Paging.NONE, 0, 16),
    PROTECTED_286(CpuModel.I286, Kind.PROTECTED, Paging.NONE, 0, 16),
    PROTECTED16_SUPERVISOR(CpuModel.MAX, Kind.PROTECTED, Paging.NONE, 0, 16),
    PROTECTED16_USER(CpuModel.MAX, Kind.PROTECTED, Paging.NONE, 3, 16),
    PROTECTED16_PAGED_USER(CpuModel.MAX, Kind.PROTECTED, Paging.BITS32, 3, 16),
    PROTECTED32_SUPERVISOR(CpuModel.MAX, Kind.PROTECTED, Paging.NONE, 0, 32),
    PROTECTED32_USER(CpuModel.MAX, Kind.PROTECTED, Paging.NONE, 3, 32),
    PROTECTED32_PAGED_SUPERVISOR(CpuModel.MAX, Kind.PROTECTED, Paging.BITS32, 0, 32),
    PROTECTED32_PAGED_USER(CpuModel.MAX, Kind.PROTECTED, Paging.BITS32, 3, 32),
    PROTECTED32_PAE_SUPERVISOR(CpuModel.MAX, Kind.PROTECTED, Paging.PAE, 0, 32),
    PROTECTED32_PAE_USER(CpuModel.MAX, Kind.PROTECTED, Paging.PAE, 3, 32),
    V86(CpuModel.MAX, Kind.V86, Paging.NONE, 3, 16),
    V86_PAGED(CpuModel.MAX, Kind.V86, Paging.BITS32, 3, 16),
    COMPATIBILITY16_USER(CpuModel.MAX, Kind.LONG, Paging.LEVELS4, 3, 16),
    COMPATIBILITY32_SUPERVISOR(CpuModel.MAX, Kind.LONG, Paging.LEVELS4, 0, 32),
    COMPATIBILITY32_USER(CpuModel.MAX, Kind.LONG, Paging.LEVELS4, 3, 32),
    LONG64_SUPERVISOR(CpuModel.MAX, Kind.LONG, Paging.LEVELS4, 0, 64),
    LONG64_USER(CpuModel.MAX, Kind.LONG, Paging.LEVELS4, 3, 64);

    /** The family of modes. */
    enum Kind {
        REAL,
        PROTECTED,
        V86,
        LONG
    }

    /** The shape of the page tables. */
    enum Paging {
        NONE,
        BITS32,
        PAE,
        LEVELS4
    }

    final CpuModel model;
    final Kind kind;
    final Paging paging;
    final int privilege;
    final int codeBits;

    FuzzMode(CpuModel model, Kind kind, Paging paging, int privilege, int codeBits) {
        this.model = model;
        this.kind = kind;
        this.paging = paging;
        this.privilege = privilege;
        this.codeBits = codeBits;
    }
}
