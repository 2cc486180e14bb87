; Gathers and masked moves.
;
; checks: VGATHER and VPGATHER of all index and element sizes, VMASKMOV and VPMASKMOV; elements without a mask bit are not
;         accessed; a fault leaves the elements before it gathered and the instruction to go on
; see: SDM 2 (VGATHERDPS, VPGATHERDD, VMASKMOV, VPMASKMOV)
; needs: cpus=1
; status: 33
; QEMU: its TCG reads elements of a masked load that have no mask bit
; assertions: 17

%include "lib/rom.inc"
%include "lib/float.inc"
%include "lib/avx.inc"

PD      equ PAGE_TABLES
PT0     equ PAGE_TABLES + 0x1000
PT1     equ PAGE_TABLES + 0x2000        ; of 400000
PAGE    equ 0x400000                    ; present; the one after it is not
FRAME   equ 0x60000                     ; physical

        ymm_const low_indexes, 0x0000000700000006, 0x0000000500000004, 0x0000000300000002, 0x0000000100000000
        ymm_const turned, 0xfffffff900000010, 0x0000000ffffffffe, 0x0000000800000001, 0x00000003ffffffff
        ymm_const long_indexes, 9, 0xfffffffffffffffd, 2, 0
        ymm_const some, 0x8000000000000000, 0xffffffff00000000, 0x7fffffff80000000, 0x00000000ffffffff
        ymm_const all, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff
        ymm_const marks, 0x7777777766666666, 0x5555555544444444, 0x3333333322222222, 0x1111111100000000

; gather_case mask, indexes, result, instruction: YMM0 = marks, YMM1 = indexes, YMM2 = mask; EBX in the middle of the data.
%macro gather_case 7+.nolist
%defstr case_name %7
        it case_name
        vmovups ymm0, [marks]
        vmovups ymm1, [%2]
        vmovups ymm2, [%1]
        %7
        expect_ymm ymm0, %3, %4, %5, %6
        expect_ymm ymm2, 0, 0, 0, 0
%endmacro

main:
        floats_on
        avx_on
        ; doubleword n from EBX is A0000000h + n
        mov edi, FRAME
        xor eax, eax
        mov ecx, 0x400
.fill_data:
        lea edx, [eax + 0xa0000000 - 0x200]
        mov [edi + eax * 4], edx
        inc eax
        loop .fill_data
        mov edi, PD
        mov ecx, 0x3000 / 4
        xor eax, eax
        rep stosd
        mov edi, PT0
        mov eax, 7
        mov ecx, 1024
.fill:
        stosd
        add eax, 0x1000
        loop .fill
        mov dword [PD], PT0 + 7
        mov dword [PD + 4], PT1 + 7
        mov dword [PT1], FRAME + 7
        mov eax, PD
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        mov ebx, PAGE + 0x800

        gather_case all, turned, 0x9ffffff9a0000010, 0xa000000f9ffffffe, 0xa0000008a0000001, 0xa00000039fffffff, \
                vpgatherdd ymm0, [ebx + ymm1 * 4], ymm2
        gather_case all, turned, 0, 0, 0xa0000008a0000001, 0xa00000039fffffff, \
                vgatherdps xmm0, [ebx + xmm1 * 4], xmm2
        gather_case all, low_indexes, 0xa0000007a0000006, 0xa0000005a0000004, 0xa0000003a0000002, 0xa0000001a0000000, \
                vpgatherdq ymm0, [ebx + xmm1 * 8], ymm2
        gather_case all, long_indexes, 0xa0000013a0000012, 0x9ffffffb9ffffffa, 0xa0000005a0000004, 0xa0000001a0000000, \
                vgatherqpd ymm0, [ebx + ymm1 * 8], ymm2
        gather_case all, long_indexes, 0, 0, 0xa00000099ffffffd, 0xa0000002a0000000, \
                vpgatherqd xmm0, [ebx + ymm1 * 4], xmm2
        gather_case all, long_indexes, 0, 0, 0, 0xa0000002a0000000, \
                vgatherqps xmm0, [ebx + xmm1 * 4], xmm2
        gather_case some, low_indexes, 0xa000000766666666, 0xa000000544444444, 0x33333333a0000002, 0x11111111a0000000, \
                vgatherdps ymm0, [ebx + ymm1 * 4], ymm2
        gather_case some, low_indexes, 0xa0000005a0000004, 0xa0000004a0000003, 0x3333333322222222, 0x1111111100000000, \
                vgatherdpd ymm0, [ebx + xmm1 * 4 + 4], ymm2

        it "a fault leaves what was gathered before it, and clears those mask bits"
        mov esi, PAGE
        vmovups ymm0, [marks]
        vmovups ymm1, [.over]
        vmovups ymm2, [all]
        arm .after_fault
.gather:
        vpgatherdd ymm0, [esi + ymm1 * 4], ymm2
.after_fault:
        expect_fault X_PF, 0, .gather
        expect_ymm ymm0, 0x7777777766666666, 0x5555555544444444, 0x33333333a00001ff, 0xa0000001a0000000
        expect_ymm ymm2, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffff00000000, 0
        it "it goes on when it runs again"
        mov dword [PT1 + 4], FRAME + 7
        invlpg [PAGE + 0x1000]
        vpgatherdd ymm0, [esi + ymm1 * 4], ymm2
        expect_ymm ymm0, 0xa0000007a0000006, 0xa0000005a0000004, 0x9ffffe00a00001ff, 0xa0000001a0000000
        expect_ymm ymm2, 0, 0, 0, 0
        mov dword [PT1 + 4], 0
        invlpg [PAGE + 0x1000]
        it "elements without a mask bit are not read"
        vmovups ymm0, [marks]
        vmovups ymm2, [.not_over]
        vpgatherdd ymm0, [esi + ymm1 * 4], ymm2
        expect_ymm ymm0, 0x7777777766666666, 0x5555555544444444, 0x33333333a00001ff, 0x11111111a0000000
        it "three registers must differ: #UD"
        faults X_UD, NONE, {db 0xc4, 0xe2, 0x6d, 0x90, 0x04, 0x86}
        faults X_UD, NONE, {db 0xc4, 0xe2, 0x7d, 0x90, 0x04, 0x8e}
        faults X_UD, NONE, {db 0xc4, 0xe2, 0x75, 0x90, 0x04, 0x8e}

        it "masked loads: zero where there is no mask bit, and no access"
        vmovups ymm2, [some]
        vmaskmovps ymm0, ymm2, [ebx]
        expect_ymm ymm0, 0xa000000700000000, 0xa000000500000000, 0x00000000a0000002, 0x00000000a0000000
        vmovups ymm0, [marks]
        vmovups ymm2, [.low_half]
        vpmaskmovq ymm0, ymm2, [PAGE + 0x1000 - 16]
        expect_ymm ymm0, 0, 0, 0xa00001ffa00001fe, 0xa00001fda00001fc
        it "a masked load of a page that is not there raises #PF"
        vmovups ymm2, [all]
        faults X_PF, 0, vmaskmovpd ymm0, ymm2, [PAGE + 0x1000 - 16]
        it "masked stores write what the mask says, and nothing where one element faults"
        vmovups ymm0, [marks]
        vmovups ymm2, [some]
        vpmaskmovd [ebx], ymm2, ymm0
        vmovups ymm1, [ebx]
        expect_ymm ymm1, 0x77777777a0000006, 0x55555555a0000004, 0xa000000322222222, 0xa000000100000000
        vmovups ymm2, [all]
        faults X_PF, 2, vmaskmovps [PAGE + 0x1000 - 16], ymm2, ymm0
        expect_mem d, [PAGE + 0x1000 - 16], 0xa00001fc
        it "a masked store does not touch a page without a mask bit"
        vmovups ymm2, [.low_half]
        vmaskmovpd [PAGE + 0x1000 - 16], ymm2, ymm0
        expect_mem d, [PAGE + 0x1000 - 16], 0
        expect_mem d, [PAGE + 0x1000 - 4], 0x33333333
        it "an all-zero mask accesses nothing"
        vpxor xmm2, xmm2, xmm2
        vmaskmovps ymm0, ymm2, [PAGE + 0x1000]
        vmaskmovps [PAGE + 0x1000], ymm2, ymm0
        expect_ymm ymm0, 0, 0, 0, 0
        finish
        [section .str]
        align 16
.over:  dd 0x200, 0x201, 0x3ff, 0x400, 0x204, 0x205, 0x206, 0x207
.not_over: dd -1, 0, -1, 0, 0, 0, 0, 0
.low_half: dq -1, -1, 0, 0
        __?SECT?__

        image_end
