package org.softkvm.emulator.decode;

import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** How objdump's names of instructions, in Intel's syntax, map to those of the table, and where the two differ on purpose. */
final class ObjdumpNames {
    /** What our decoder and objdump call an encoding that is none. */
    static final String BAD = "(bad)";

    private static final Set<String> PREFIXES = Set.of(
            "lock",
            "rep",
            "repz",
            "repnz",
            "data16",
            "addr32",
            "cs",
            "ds",
            "es",
            "fs",
            "gs",
            "ss",
            "bnd",
            "notrack",
            "xacquire",
            "xrelease");

    /** Ours have no size, and some forms go by their older name. */
    private static final Map<String, Pattern> NAMES = Map.ofEntries(
            name("call far", "call"),
            name("cbw", "cwde|cdqe"),
            name("cmpxchg8b", "cmpxchg16b"),
            name("cwd", "cdq|cqo"),
            name("enter", "enterw"),
            name("fldenv", "fldenvw"),
            name("fnsave", "fnsavew"),
            name("fnstenv", "fnstenvw"),
            name("frstor", "frstorw"),
            name("fxrstor", "fxrstor64"),
            name("fxsave", "fxsave64"),
            name("iret", "iret[qw]"),
            name("jcxz", "jrcxz|jecxz"),
            name("jmp far", "jmp"),
            name("leave", "leavew"),
            name("mov", "movabs"),
            name("movd", "movq"),
            name("movhps", "movlhps"),
            name("movlps", "movhlps"),
            // What the CPU model does not claim is a NOP there: MPX, CLDEMOTE; and prefetches are.
            name("nop", "bnd(cl|cn|cu|ldx|mk|mov|stx)|cldemote|endbr(32|64)|prefetch(nta|t0|t1|t2|it0|it1)|rdssp[dq]"),
            name("pcmpestri", "pcmpestriq"),
            name("pcmpestrm", "pcmpestrmq"),
            name("pextr", "pextr[dq]"),
            name("pinsr", "pinsr[dq]"),
            name("pop", "popw"),
            name("popf", "popfw"),
            name("prefetchw", "prefetch(wt1)?"),
            name("push", "pushw"),
            name("pushf", "pushfw"),
            name("retf", "retf[qw]"),
            name("sysexit", "sysexit[dq]"),
            name("sysret", "sysret[dq]"),
            name("vmovd", "vmovq"),
            name("vmovhps", "vmovlhps"),
            name("vmovlps", "vmovhlps"),
            name("vpcmpestri", "vpcmpestriq"),
            name("vpcmpestrm", "vpcmpestrmq"),
            name("vpextr", "vpextr[dq]"),
            name("vpinsr", "vpinsr[dq]"),
            name("wbinvd", "wbnoinvd"),
            name("xchg", "nop"),
            name("xrstor", "xrstor64"),
            name("xsave", "xsave64"),
            name("xsavec", "xsavec64"),
            name("xsaveopt", "xsaveopt64"));

    /** The predicate of a comparison is part of objdump's name. */
    private static final Pattern COMPARE = Pattern.compile("(v?cmp)[a-z_]+?([ps][sd])");

    private static final Pattern MULTIPLY = Pattern.compile("(v?pclmul)[lh]q[lh](qdq)");

    /**
     * Encodings that CPUs execute (the data of Decoder64HardwareTest and x87 captures show it) and objdump refuses: aliases
     * of x87 instructions, fences with any ModRM.rm, PREFETCHW and hints of registers, F2 where it has no meaning.
     */
    private static final Map<String, Pattern> ACCEPTED = Map.ofEntries(
            name("fstp", "(d9d|dfd)[0-9a-f]"),
            name("fcom", "dcd[0-7]"),
            name("fcomp", "(dcd[89a-f]|ded[0-7])"),
            name("fxch", "(ddc[89a-f]|dfc[89a-f])"),
            name("lfence", "0fae[ef][0-9a-f]"),
            name("mfence", "0fae[ef][0-9a-f]"),
            name("sfence", "0fae[ef][0-9a-f]"),
            name("nop", "0f1[0-9a-f]+"),
            name("prefetchw", "0f0d[cdef][0-9a-f]"),
            name("vmmcall", "0f01d9"),
            name("wbinvd", "0f09"));

    private static final Map<String, Pattern> ACCEPTED_WITH_F2 =
            Map.of("bsf", Pattern.compile("0fbc.*"), "bsr", Pattern.compile("0fbd.*"));

    private static final Pattern NO_REGISTER = Pattern.compile("\\bcr([15679]|1[0-5])\\b|mov +cs,");

    private ObjdumpNames() {}

    private static Map.Entry<String, Pattern> name(String ours, String theirs) {
        return Map.entry(ours, Pattern.compile(theirs));
    }

    /** The mnemonic of a line, without the prefixes that are written in front of it. */
    static String mnemonic(String text) {
        for (String word : text.strip().split("\\s+")) {
            if (!PREFIXES.contains(word) && !word.startsWith("rex")) {
                // As in "fnsetpm(287 only)".
                return word.replaceAll("\\(.*", "");
            }
        }
        return "";
    }

    /** A segment register that does not exist is written as a question mark, a control register like any other. */
    static boolean isBad(String text) {
        return text.contains(BAD)
                || text.contains("?")
                || NO_REGISTER.matcher(text).find();
    }

    /** Whether an encoding is executed although objdump knows none; the code is in hexadecimal digits. */
    static boolean isAccepted(String ours, String code) {
        return tail(ACCEPTED.get(ours), code) || code.contains("f2") && tail(ACCEPTED_WITH_F2.get(ours), code);
    }

    private static boolean tail(Pattern opcode, String code) {
        return opcode != null && Pattern.matches("(26|2e|36|3e|64|65|66|67|f2|f3|4[0-9a-f])*" + opcode.pattern(), code);
    }

    static boolean same(String ours, String theirs, String text) {
        String name = theirs;
        if (text.contains("BYTE PTR") && theirs.matches("cmps|ins|lods|movs|outs|scas|stos")) {
            name += "b";
        }
        if (ours.equals(name)) {
            return true;
        }
        var compare = COMPARE.matcher(name);
        if (compare.matches()) {
            name = compare.group(1) + compare.group(2);
        }
        var multiply = MULTIPLY.matcher(name);
        if (multiply.matches()) {
            name = multiply.group(1) + multiply.group(2);
        }
        Pattern other = NAMES.get(ours);
        return ours.equals(name)
                || other != null
                        && other.matcher(name).matches()
                        && (!ours.endsWith(" far") || !text.contains("QWORD"));
    }
}
