package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.Ap;
import static org.softkvm.emulator.decode.Operand.Ew;
import static org.softkvm.emulator.decode.Operand.Gv;
import static org.softkvm.emulator.decode.Operand.Gw;
import static org.softkvm.emulator.decode.Operand.Ib;
import static org.softkvm.emulator.decode.Operand.Iw;
import static org.softkvm.emulator.decode.Operand.M;
import static org.softkvm.emulator.decode.Operand.Mp;
import static org.softkvm.emulator.decode.Operand.Seg;
import static org.softkvm.emulator.decode.Operand.Sw;

import org.softkvm.emulator.exec.FarReturn;
import org.softkvm.emulator.exec.FarTransfer;
import org.softkvm.emulator.exec.Interrupts;
import org.softkvm.emulator.exec.SegmentOps;

/** Rows of the instruction table: segment registers, far transfers, software interrupts, descriptor tables. */
final class SegmentRows {
    private SegmentRows() {}

    static void define(OpTable t) {
        moves(t);
        transfers(t);
        tables(t);
    }

    private static void moves(OpTable t) {
        t.op("8C /r", "mov", Ew, Sw).state(SegmentOps.class, "movFromSegment").noFlags();
        t.op("8E /r", "mov", Sw, Ew)
                .state(SegmentOps.class, "movToSegment")
                .noFlags()
                .ends();
        for (String op : new String[] {"06", "0E", "16", "1E"}) {
            t.op(op, "push", Seg).state(SegmentOps.class, "push").noFlags().not64();
        }
        t.op("07", "pop", Seg).state(SegmentOps.class, "pop").noFlags().not64();
        t.op("17", "pop", Seg).state(SegmentOps.class, "pop").noFlags().not64().ends();
        t.op("1F", "pop", Seg).state(SegmentOps.class, "pop").noFlags().not64();
        // 0F is an escape from the 80286 on, and POP CS on the 8086.
        t.op("0F", "pop", Seg).state(SegmentOps.class, "pop").noFlags().ends().until(Feature.I286);
        for (String op : new String[] {"0F A0", "0F A8"}) {
            t.op(op, "push", Seg)
                    .state(SegmentOps.class, "push")
                    .noFlags()
                    .d64()
                    .needs(Feature.I386);
        }
        for (String op : new String[] {"0F A1", "0F A9"}) {
            t.op(op, "pop", Seg).state(SegmentOps.class, "pop").noFlags().d64().needs(Feature.I386);
        }
        t.op("C4 /r", "les", Gv, Mp).state(SegmentOps.class, "les").noFlags().not64();
        t.op("C5 /r", "lds", Gv, Mp).state(SegmentOps.class, "lds").noFlags().not64();
        t.op("0F B2 /r", "lss", Gv, Mp)
                .state(SegmentOps.class, "lss")
                .noFlags()
                .ends()
                .needs(Feature.I386);
        t.op("0F B4 /r", "lfs", Gv, Mp).state(SegmentOps.class, "lfs").noFlags().needs(Feature.I386);
        t.op("0F B5 /r", "lgs", Gv, Mp).state(SegmentOps.class, "lgs").noFlags().needs(Feature.I386);
    }

    private static void transfers(OpTable t) {
        t.op("EA", "jmp far", Ap)
                .state(FarTransfer.class, "jmp")
                .noFlags()
                .not64()
                .ends();
        t.op("9A", "call far", Ap)
                .state(FarTransfer.class, "call")
                .noFlags()
                .not64()
                .ends();
        t.op("FF /5", "jmp far", Mp)
                .state(FarTransfer.class, "jmpIndirect")
                .noFlags()
                .ends();
        t.op("FF /3", "call far", Mp)
                .state(FarTransfer.class, "callIndirect")
                .noFlags()
                .ends();
        t.op("CA", "retf", Iw).state(FarReturn.class, "retf").noFlags().ends();
        t.op("CB", "retf").state(FarReturn.class, "retf").noFlags().ends();
        // Aliases of the 8086; ENTER and LEAVE have taken their place since.
        t.op("C8", "retf", Iw).state(FarReturn.class, "retf").noFlags().ends().until(Feature.I186);
        t.op("C9", "retf").state(FarReturn.class, "retf").noFlags().ends().until(Feature.I186);
        t.op("CF", "iret").state(FarReturn.class, "iret").ends();
        t.op("CC", "int3").state(Interrupts.class, "int3").flagUse(0x8D5, 0).ends();
        t.op("CD", "int", Ib).state(Interrupts.class, "intN").flagUse(0x8D5, 0).ends();
        t.op("CE", "into")
                .state(Interrupts.class, "into")
                .flagUse(0x8D5, 0)
                .not64()
                .ends();
        t.op("F1", "int1")
                .state(Interrupts.class, "int1")
                .flagUse(0x8D5, 0)
                .ends()
                .needs(Feature.I386);
        t.op("62 /r", "bound", Gv, M)
                .state(Interrupts.class, "bound")
                .noFlags()
                .not64()
                .needs(Feature.I186);
    }

    private static void tables(OpTable t) {
        t.op("0F 02 /r", "lar", Gv, Ew)
                .state(SegmentOps.class, "lar")
                .flagUse(0x8D5, 0x40)
                .needs(Feature.I286);
        t.op("0F 03 /r", "lsl", Gv, Ew)
                .state(SegmentOps.class, "lsl")
                .flagUse(0x8D5, 0x40)
                .needs(Feature.I286);
        t.op("63 /r", "arpl", Ew, Gw)
                .state(SegmentOps.class, "arpl")
                .flagUse(0x8D5, 0x40)
                .not64()
                .needs(Feature.I286);
        t.op("0F 00 /0", "sldt", Ew).state(SegmentOps.class, "sldt").noFlags().needs(Feature.I286);
        t.op("0F 00 /1", "str", Ew).state(SegmentOps.class, "str").noFlags().needs(Feature.I286);
        t.op("0F 00 /2", "lldt", Ew).state(SegmentOps.class, "lldt").noFlags().needs(Feature.I286);
        t.op("0F 00 /3", "ltr", Ew).state(SegmentOps.class, "ltr").noFlags().needs(Feature.I286);
        t.op("0F 00 /4", "verr", Ew)
                .state(SegmentOps.class, "verr")
                .flagUse(0x8D5, 0x40)
                .needs(Feature.I286);
        t.op("0F 00 /5", "verw", Ew)
                .state(SegmentOps.class, "verw")
                .flagUse(0x8D5, 0x40)
                .needs(Feature.I286);
        t.op("0F 01 /0", "sgdt", M).state(SegmentOps.class, "sgdt").noFlags().needs(Feature.I286);
        t.op("0F 01 /1", "sidt", M).state(SegmentOps.class, "sidt").noFlags().needs(Feature.I286);
        t.op("0F 01 /2", "lgdt", M).state(SegmentOps.class, "lgdt").noFlags().needs(Feature.I286);
        t.op("0F 01 /3", "lidt", M).state(SegmentOps.class, "lidt").noFlags().needs(Feature.I286);
        t.op("0F 01 /4", "smsw", Ew).state(SegmentOps.class, "smsw").noFlags().needs(Feature.I286);
    }
}
