; Model-specific registers.
;
; checks: #GP(0) for MSRs that do not exist and in ring 3, TSC and its adjustment, RDTSCP, EFER's reserved bits, PAT, MTRR,
;         values that are checked when written
; see: SDM 4 (MSRs), SDM 2 (RDMSR, WRMSR, RDTSC), SDM 3A 12.11 (MTRR), 12.12 (PAT)
; needs: cpus=1
; status: 33
; QEMU: its TCG reads 0 from MSRs that do not exist and checks few values
; assertions: 16

%include "lib/rom.inc"
%include "lib/chips.inc"

IA32_TSC_ADJUST equ 0x3b
IA32_MTRRCAP    equ 0xfe
IA32_PAT        equ 0x277
IA32_MTRR_DEF_TYPE equ 0x2ff
IA32_MISC_ENABLE equ 0x1a0
MSR_EFER        equ 0xc0000080
IA32_TSC_AUX    equ 0xc0000103

main:
        it "an MSR that does not exist raises #GP(0) for RDMSR and WRMSR"
        mov ecx, 0x00dead00
        faults X_GP, 0, rdmsr
        xor eax, eax
        xor edx, edx
        faults X_GP, 0, wrmsr
        mov ecx, 0xc000dead
        faults X_GP, 0, rdmsr
        it "a failed RDMSR keeps EAX and EDX"
        mov eax, 0x1234
        mov edx, 0x5678
        faults X_GP, 0, rdmsr
        expect_eq eax, 0x1234
        expect_eq edx, 0x5678
        it "RDMSR and WRMSR of ring 3 raise #GP(0)"
        to_user
        mov ecx, IA32_TSC
        faults X_GP, 0, rdmsr
        faults X_GP, 0, wrmsr
        from_user
        it "the TSC counts up"
        rdtsc
        mov esi, eax
        mov edi, edx
        rdtsc
        sub eax, esi
        sbb edx, edi
        jnc .up
        unreachable
.up:
        it "the TSC can be written"
        mov ecx, IA32_TSC
        mov edx, 0x1234
        xor eax, eax
        wrmsr
        rdtsc
        expect_eq edx, 0x1234
        it "IA32_TSC_ADJUST, where there is one, moves with it"
        mov eax, 7
        xor ecx, ecx
        cpuid
        bt ebx, 1
        jnc .no_adjust
        mov ecx, IA32_TSC_ADJUST
        xor eax, eax
        xor edx, edx
        wrmsr
        rdtsc
        mov esi, edx
        mov ecx, IA32_TSC_ADJUST
        xor eax, eax
        mov edx, 0x100
        wrmsr
        rdtsc
        sub edx, esi
        expect_eq edx, 0x100
.no_adjust:
        it "RDTSCP, where there is one, gives IA32_TSC_AUX"
        mov eax, 0x80000001
        cpuid
        bt edx, 27
        jnc .no_rdtscp
        mov ecx, IA32_TSC_AUX
        xor edx, edx
        mov eax, 0x1234567
        wrmsr
        xor ecx, ecx
        rdtscp
        expect_eq ecx, 0x1234567
.no_rdtscp:
        it "EFER: reserved bits raise #GP(0)"
        mov ecx, MSR_EFER
        rdmsr
        mov esi, eax
        or eax, 1 << 16
        faults X_GP, 0, wrmsr
        mov eax, esi
        it "EFER.LMA is not written"
        or eax, 1 << 10
        wrmsr
        rdmsr
        and eax, 1 << 10
        expect_eq eax, 0
        it "IA32_PAT takes memory types only"
        mov ecx, IA32_PAT
        rdmsr
        mov esi, eax
        mov edi, edx
        mov eax, 0x02020202             ; type 2 does not exist
        faults X_GP, 0, wrmsr
        mov eax, 0x06050401
        wrmsr
        rdmsr
        expect_eq eax, 0x06050401
        mov eax, esi
        mov edx, edi
        wrmsr
        it "the reset value of the PAT is 0007040600070406"
        expect_eq esi, 0x00070406
        expect_eq edi, 0x00070406
        mov eax, 1
        cpuid
        bt edx, 12
        jnc .no_mtrr
        it "MTRRs: the default type reads back, a bad one raises #GP(0)"
        mov ecx, IA32_MTRR_DEF_TYPE
        rdmsr
        mov esi, eax
        mov eax, 0xc06
        xor edx, edx
        wrmsr
        rdmsr
        expect_eq eax, 0xc06
        mov eax, 2
        faults X_GP, 0, wrmsr
        mov eax, esi
        wrmsr
        it "IA32_MTRRCAP is read-only"
        mov ecx, IA32_MTRRCAP
        rdmsr
        faults X_GP, 0, wrmsr
        it "the variable range registers of MTRRCAP.VCNT are there"
        mov ecx, IA32_MTRRCAP
        rdmsr
        movzx ecx, al
        test ecx, ecx
        jz .no_variable
        lea ecx, [0x200 + ecx * 2 - 1]
        rdmsr
.no_variable:
        jmp .mtrr_done
.no_mtrr:
        mov ecx, IA32_MTRRCAP
        it_or "MTRRs: the default type reads back, a bad one raises #GP(0)"
        faults X_GP, 0, rdmsr
        it_or "IA32_MTRRCAP is read-only"
        it_or "the variable range registers of MTRRCAP.VCNT are there"
.mtrr_done:
        it "IA32_APIC_BASE: a reserved bit raises #GP(0)"
        mov ecx, IA32_APIC_BASE
        rdmsr
        or eax, 1
        faults X_GP, 0, wrmsr
        it "RDPMC in ring 3 raises #GP(0) without CR4.PCE"
        to_user
        xor ecx, ecx
        faults X_GP, 0, rdpmc
        from_user
        finish

        image_end
