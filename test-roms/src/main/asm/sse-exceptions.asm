; SSE floating-point exceptions.
;
; checks: MXCSR flags and masks of the six, sticky flags, unmasked ones raise #XM before anything is written, DAZ and FZ,
;         NaN rules, comparisons, conversions
; see: SDM 1 10.2.3 (MXCSR), 11.5 (SSE exceptions), SDM 3A 6.15 (#XM)
; needs: cpus=1
; status: 33
; QEMU: its TCG raises no #XM and has other NaN rules
; assertions: 29

%include "lib/rom.inc"
%include "lib/float.inc"

; binary instruction, a, b, result, flags: single precision, low element, MXCSR 1F80 or what MX says.
%macro binary 5
        set_mxcsr MX
        mov eax, %2
        movd xmm0, eax
        mov eax, %3
        movd xmm1, eax
        %1 xmm0, xmm1
        movd eax, xmm0
        expect_eq eax, %4
        expect_mxcsr 0x3f, %5
%endmacro
; The same unmasked for one exception: #XM, XMM0 unchanged.
%macro unmasked 5
        set_mxcsr %4
        mov eax, %2
        movd xmm0, eax
        mov eax, %3
        movd xmm1, eax
        faults X_XM, NONE, %1 xmm0, xmm1
        movd eax, xmm0
        expect_eq eax, %2
        expect_mxcsr 0x3f, %5
%endmacro
ONE     equ 0x3f800000
TWO     equ 0x40000000
THREE   equ 0x40400000
INF     equ 0x7f800000
QNAN    equ 0x7fc00000
SNAN    equ 0x7f800001
DEFAULT_NAN equ 0xffc00000
LARGEST equ 0x7f7fffff
TINY    equ 0x00800000                  ; least normal
DENORMAL equ 1

main:
        floats_on
        mov eax, cr4
        or eax, 0x400
        mov cr4, eax
%define MX 0x1f80
        it "the reset value of MXCSR is 1F80"
        stmxcsr [FLOATS]
        expect_mem d, [FLOATS], 0x1f80
        it "invalid: 0 / 0, infinity - infinity, 0 * infinity"
        binary divss, 0, 0, DEFAULT_NAN, IE
        binary subss, INF, INF, DEFAULT_NAN, IE
        binary mulss, 0, INF, DEFAULT_NAN, IE
        it "the square root of -1"
        binary sqrtss, 0, 0xbf800000, DEFAULT_NAN, IE
        it "a signaling NaN becomes quiet, keeps its payload, raises IE"
        binary addss, SNAN, ONE, 0x7fc00001, IE
        it "of two NaNs the first operand's is taken"
        binary addss, 0x7fc00005, 0x7fc00006, 0x7fc00005, 0
        binary addss, 0x7fc00005, SNAN, 0x7fc00005, IE
        it "zero divide"
        binary divss, 0xbf800000, 0, 0xff800000, ZE
        it "overflow"
        binary addss, LARGEST, LARGEST, INF, OE | PE
        it "underflow: tiny and inexact"
        binary mulss, TINY + 1, 0x3f000000, 0x00400000, UE | PE
        it "tiny and exact raises nothing"
        binary mulss, TINY, 0x3f000000, 0x00400000, 0
        it "precision"
        binary divss, ONE, THREE, 0x3eaaaaab, PE
        it "a denormal operand"
        binary addss, DENORMAL, ONE, ONE, DE | PE
        it "flags are sticky"
        set_mxcsr 0x1f80
        mov eax, ONE
        movd xmm0, eax
        pxor xmm1, xmm1
        divss xmm0, xmm1
        mov eax, THREE
        movd xmm1, eax
        mov eax, ONE
        movd xmm0, eax
        divss xmm0, xmm1
        expect_mxcsr 0x3f, ZE | PE
        it "min and max return the second operand for NaNs and zeros"
        binary minss, QNAN, ONE, ONE, IE
        binary maxss, 0, 0x80000000, 0x80000000, 0
        it "unmasked invalid"
        unmasked divss, 0, 0, 0x1f00, IE
        it "unmasked zero divide"
        unmasked divss, ONE, 0, 0x1d80, ZE
        it "unmasked overflow"
        unmasked addss, LARGEST, LARGEST, 0x1b80, OE
        it "unmasked underflow raises for exact results, too"
        unmasked mulss, TINY, 0x3f000000, 0x1780, UE
        it "unmasked precision"
        unmasked divss, ONE, THREE, 0x0f80, PE
        it "unmasked denormal"
        unmasked addss, DENORMAL, ONE, 0x1e80, DE
        it "a packed instruction collects the flags of all its elements and writes none"
        set_mxcsr 0x1d80
        movaps xmm0, [.packed]
        movaps xmm1, [.packed + 16]
        faults X_XM, NONE, divps xmm0, xmm1
        expect_xmm xmm0, 0x3f8000003f800000, 0x0000000040000000
        expect_mxcsr 0x3f, IE | ZE
%define MX 0x9f80
        it "FZ flushes tiny results to zero, with UE and PE"
        binary mulss, TINY + 1, 0x3f000000, 0, UE | PE
        binary mulss, TINY, 0xbf000000, 0x80000000, UE | PE
%define MX 0x1fc0
        it "DAZ takes denormals for zero, without DE"
        binary addss, DENORMAL, ONE, ONE, 0
        binary mulss, 0x80000001, ONE, 0x80000000, 0
        set_mxcsr 0x1f80
        it "comiss raises IE for a quiet NaN, ucomiss does not"
        mov eax, QNAN
        movd xmm0, eax
        ucomiss xmm0, xmm0
        expect_mxcsr 0x3f, 0
        comiss xmm0, xmm0
        expect_mxcsr 0x3f, IE
        it "cmpltss raises IE for a quiet NaN, cmpeqss does not"
        set_mxcsr 0x1f80
        cmpeqss xmm0, xmm0
        expect_mxcsr 0x3f, 0
        mov eax, QNAN
        movd xmm0, eax
        cmpltss xmm0, xmm0
        expect_mxcsr 0x3f, IE
        it "an unmasked comparison writes no flags"
        set_mxcsr 0x1f00
        mov eax, QNAN
        movd xmm0, eax
        stc
        faults X_XM, NONE, comiss xmm0, xmm0
        expect_flags CF, CF
        it "conversions: out of range is invalid, the integer indefinite"
        set_mxcsr 0x1f80
        mov eax, 0x50000000
        movd xmm0, eax
        cvttss2si eax, xmm0
        expect_eq eax, 0x80000000
        expect_mxcsr 0x3f, IE
        it "conversions: inexact"
        set_mxcsr 0x1f80
        mov eax, 0x40200000
        movd xmm0, eax
        cvtss2si eax, xmm0
        expect_mxcsr 0x3f, PE
        set_mxcsr 0x1f80
        mov eax, 0x7fffffff
        cvtsi2ss xmm0, eax
        movd eax, xmm0
        expect_eq eax, 0x4f000000
        expect_mxcsr 0x3f, PE
        it "double to single: overflow and underflow"
        set_mxcsr 0x1f80
        movsd xmm1, [.huge]
        cvtsd2ss xmm0, xmm1
        movd eax, xmm0
        expect_eq eax, INF
        expect_mxcsr 0x3f, OE | PE
        set_mxcsr 0x1f80
        movsd xmm1, [.small]
        cvtsd2ss xmm0, xmm1
        movd eax, xmm0
        expect_eq eax, 0
        expect_mxcsr 0x3f, UE | PE
        it "an MXCSR of reserved bits raises #GP(0) and keeps the register"
        mov dword [FLOATS + 32], 0x11f80
        faults X_GP, 0, ldmxcsr [FLOATS + 32]
        expect_mxcsr 0xffff, 0x1f80 | UE | PE
        finish
        align 16
.packed:
        dd TWO, 0, ONE, ONE, ONE, 0, 0, ONE
.huge:  dq 0x7e37e43c8800759c           ; 1e300
.small: dq 0x01a56e1fc2f8f359           ; 1e-300

        image_end
