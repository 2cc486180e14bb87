package org.softkvm.emulator.iced;

import java.util.Map;
import java.util.Set;

/** How the table's names of instructions map to this table's, and which extensions the CPU model does not have. */
final class IcedNames {
    /** Our mnemonics leave the operand size away, and call some forms by their older name. */
    private static final Map<String, String> OTHER_NAMES = Map.ofEntries(
            Map.entry("cdq", "cwd"),
            Map.entry("cwde", "cbw"),
            Map.entry("endbr32", "nop"),
            Map.entry("endbr64", "nop"),
            Map.entry("fstpnce", "fstp"),
            Map.entry("iretd", "iret"),
            Map.entry("jecxz", "jcxz"),
            Map.entry("movhlps", "movlps"),
            Map.entry("movlhps", "movhps"),
            Map.entry("pextrd", "pextr"),
            Map.entry("vpextrd", "vpextr"),
            Map.entry("vpinsrd", "vpinsr"),
            Map.entry("pinsrd", "pinsr"),
            Map.entry("popad", "popa"),
            Map.entry("popfd", "popf"),
            Map.entry("pushad", "pusha"),
            Map.entry("pushfd", "pushf"),
            Map.entry("reservednop", "nop"),
            Map.entry("sal", "shl"),
            Map.entry("xlatb", "xlat"),
            // Hints: 0F 18 and 0F 0D.
            Map.entry("prefetch", "prefetchw"),
            Map.entry("prefetchwt1", "prefetchw"),
            Map.entry("prefetchnta", "nop"),
            Map.entry("prefetcht0", "nop"),
            Map.entry("prefetcht1", "nop"),
            Map.entry("prefetcht2", "nop"),
            Map.entry("prefetchit0", "nop"),
            Map.entry("prefetchit1", "nop"),
            // Without the extension the encoding has the meaning that it had before.
            Map.entry("cldemote", "nop"),
            Map.entry("rdsspd", "nop"),
            Map.entry("wbnoinvd", "wbinvd"));

    /** Mnemonics of what CPUID does not offer: the encoding is #UD. UD0 to UD2 are #UD by their meaning. */
    private static final Set<String> UNDEFINED = Set.of(("ud0 ud1 ud2 "
                    // GFNI, KL, MOVDIRI
                    + "aesdec128kl aesdec256kl aesdecwide128kl aesdecwide256kl "
                    + "aesenc128kl aesenc256kl aesencwide128kl aesencwide256kl "
                    + "encodekey128 encodekey256 gf2p8affineinvqb gf2p8affineqb gf2p8mulb loadiwkey "
                    + "movdir64b movdiri "
                    // RAO-INT, CET, ENQCMD, HRESET, PKU, PTWRITE, RTM, WAITPKG
                    + "aadd aand aor axor clrssbsy incsspd rstorssp saveprevssp setssbsy wrssd wrussd enqcmd enqcmds "
                    + "hreset rdpkru wrpkru ptwrite xabort xbegin xend xtest "
                    + "xresldtrk xsusldtrk tpause umonitor umwait uintr wrmsrns "
                    // XSAVE's later forms
                    + "xrstors xsaves "
                    // VMX, SMX, SGX, TDX, SMM, PCONFIG
                    + "getsec encls enclu enclv invept invvpid vmclear vmfunc vmlaunch vmptrld vmptrst vmread "
                    + "vmresume vmwrite vmxoff vmxon tdcall pconfig "
                    // other vendors'
                    + "ccs_encrypt ccs_hash clgi clzero extrq femms insertq invlpga invlpgb mcommit monitorx montmul "
                    + "movntsd movntss mwaitx pvalidate rdpru skinit stgi tlbsync undoc vmgexit vmload vmrun vmsave "
                    + "xcryptcbc xcryptcfb xcryptctr xcryptecb xcryptofb xsha1 xsha256 xsha512 xsha512_alt xstore "
                    + "xstore_alt")
            .split(" "));

    /**
     * VEX instructions of what CPUID does not offer: opmasks, AVX-NE-CONVERT, FMA4, GFNI, AVX-VNNI,
     * XOP's permutes, AVX-IFMA, SHA512, SM3, SM4.
     */
    private static final String UNDEFINED_VEX =
            "k[a-z]+|vbcstne.*|vcvtne.*|vfn?m(add|sub|addsub|subadd)[ps][sd]|vgf2p8.*|vpdp.*"
                    + "|vpermil2.*|vpmadd52.*|vsha512.*|vsm[34].*";

    private IcedNames() {}

    /** Whether the CPU must refuse the encoding. */
    static boolean undefined(String code, String mnemonic) {
        return mnemonic.equals("invalid")
                || code.startsWith("VEX_") && mnemonic.matches(UNDEFINED_VEX)
                || code.startsWith("EVEX_")
                || code.startsWith("XOP_")
                || code.startsWith("D3NOW_")
                || UNDEFINED.contains(mnemonic);
    }

    /** The mnemonic in our table. */
    static String ours(String code, String mnemonic) {
        if (code.matches("(Movs|Cmps|Scas|Stos|Lods|Ins|Outs)[wd]_(m16|m32|AX|EAX|DX)_.*")) {
            return mnemonic.substring(0, mnemonic.length() - 1);
        }
        if (code.matches("(Call|Jmp)_(ptr|m).*")) {
            return mnemonic + " far";
        }
        if (code.matches("Nop[wdq]")) {
            return "xchg";
        }
        return OTHER_NAMES.getOrDefault(mnemonic, mnemonic);
    }
}
