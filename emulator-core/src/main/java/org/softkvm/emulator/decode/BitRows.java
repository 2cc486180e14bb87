package org.softkvm.emulator.decode;

import static org.softkvm.emulator.decode.Operand.By;
import static org.softkvm.emulator.decode.Operand.Ev;
import static org.softkvm.emulator.decode.Operand.Ey;
import static org.softkvm.emulator.decode.Operand.Gv;
import static org.softkvm.emulator.decode.Operand.Gy;
import static org.softkvm.emulator.decode.Operand.Ib;

import org.softkvm.emulator.cpu.Flags;
import org.softkvm.emulator.exec.Bits;

/** Rows of the instruction table: MOVBE, ADX, LZCNT, BMI1, BMI2. */
final class BitRows {
    private BitRows() {}

    static void define(OpTable t) {
        t.op("NFX 0F 38 F0", "movbe", Gv, Ev)
                .value(Bits.class, "movbe")
                .move()
                .memoryOnly()
                .needs(Feature.MOVBE);
        t.op("NFX 0F 38 F1", "movbe", Ev, Gv)
                .value(Bits.class, "movbe")
                .move()
                .memoryOnly()
                .needs(Feature.MOVBE);
        // The other flags are read because they are kept.
        t.op("66 0F 38 F6", "adcx", Gy, Ey)
                .value(Bits.class, "adcx")
                .flagUse(Flags.ARITH, Flags.CF)
                .needs(Feature.ADX);
        t.op("F3 0F 38 F6", "adox", Gy, Ey)
                .value(Bits.class, "adox")
                .flagUse(Flags.ARITH, Flags.OF)
                .needs(Feature.ADX);
        // Without the feature the prefix means nothing: BSF and BSR.
        t.op("F3 0F BC", "tzcnt", Gv, Ev)
                .value(Bits.class, "tzcnt")
                .overwrites()
                .needs(Feature.BMI1);
        t.op("F3 0F BD", "lzcnt", Gv, Ev)
                .value(Bits.class, "lzcnt")
                .overwrites()
                .needs(Feature.LZCNT);
        bmi1(t);
        bmi2(t);
    }

    private static void bmi1(OpTable t) {
        t.op("VEX.LZ.0F38 F2", "andn", Gy, By, Ey)
                .value(Bits.class, "andn")
                .flags(Flags.LOGIC)
                .overwrites()
                .needs(Feature.BMI1);
        t.op("VEX.LZ.0F38 F7", "bextr", Gy, Ey, By)
                .value(Bits.class, "bextr")
                .overwrites()
                .needs(Feature.BMI1);
        String[] names = {"blsr", "blsmsk", "blsi"};
        for (int k = 0; k < 3; k++) {
            t.op("VEX.LZ.0F38 F3 /" + (k + 1), names[k], By, Ey)
                    .value(Bits.class, names[k])
                    .overwrites()
                    .needs(Feature.BMI1);
        }
    }

    private static void bmi2(OpTable t) {
        t.op("VEX.LZ.0F38 F5", "bzhi", Gy, Ey, By)
                .value(Bits.class, "bzhi")
                .overwrites()
                .needs(Feature.BMI2);
        t.op("VEX.LZ.F2.0F38 F5", "pdep", Gy, By, Ey)
                .value(Bits.class, "pdep")
                .move()
                .needs(Feature.BMI2);
        t.op("VEX.LZ.F3.0F38 F5", "pext", Gy, By, Ey)
                .value(Bits.class, "pext")
                .move()
                .needs(Feature.BMI2);
        t.op("VEX.LZ.F2.0F38 F6", "mulx", Gy, By, Ey)
                .state(Bits.class, "mulx")
                .noFlags()
                .needs(Feature.BMI2);
        t.op("VEX.LZ.F2.0F3A F0", "rorx", Gy, Ey, Ib)
                .value(Bits.class, "rorx")
                .move()
                .needs(Feature.BMI2);
        String[] shifts = {"66 shlx", "F3 sarx", "F2 shrx"};
        for (String s : shifts) {
            t.op("VEX.LZ." + s.substring(0, 2) + ".0F38 F7", s.substring(3), Gy, Ey, By)
                    .value(Bits.class, s.substring(3))
                    .move()
                    .needs(Feature.BMI2);
        }
    }
}
