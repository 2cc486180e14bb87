package org.softkvm.vmm.zstd;

/** The three kinds of codes in the sequences section, with their default tables (RFC 8878, section 3.1.1.3.2). */
enum SequenceCodes {
    LITERALS_LENGTH(
            9,
            6,
            new int[] {
                4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1,
                -1, -1
            },
            0,
            new int[] {
                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13,
                14, 15, 16
            }),
    OFFSET(
            8,
            5,
            new int[] {1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1},
            1,
            new int[] {
                0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
                28, 29, 30, 31
            }),
    MATCH_LENGTH(
            9,
            6,
            new int[] {
                1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1
            },
            3,
            new int[] {
                0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1,
                1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
            });

    final int maxLog;
    final int maxSymbol;
    final FseTable defaults;
    /** What encodes by the default table. */
    final FseEncoder defaultEncoder;

    private final int[] baselines;
    private final int[] extraBits;

    SequenceCodes(int maxLog, int defaultLog, int[] probabilities, int baseline, int[] extraBits) {
        this.maxLog = maxLog;
        this.maxSymbol = extraBits.length - 1;
        this.extraBits = extraBits;
        this.baselines = new int[extraBits.length];
        int value = baseline;
        for (int code = 0; code < extraBits.length; code++) {
            baselines[code] = value;
            value += 1 << extraBits[code];
        }
        this.defaultEncoder = new FseEncoder(defaultLog, probabilities, probabilities.length);
        try {
            this.defaults = FseTable.build(defaultLog, probabilities, probabilities.length);
        } catch (ZstdException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    int value(int code, BackwardBits in) {
        return baselines[code] + in.read(extraBits[code]);
    }

    /** The code of a value. */
    int code(int value) {
        int code = this == OFFSET ? 31 - Integer.numberOfLeadingZeros(value) : Math.min(value - baselines[0], 16);
        while (code < maxSymbol && baselines[code + 1] <= value) {
            code++;
        }
        return code;
    }

    /** Writes what a value has beyond its code. */
    void rest(int value, int code, BitWriter out) {
        out.add(value - baselines[code], extraBits[code]);
    }
}
