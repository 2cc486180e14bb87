; Machine-check architecture.
;
; checks: CPUID, that MCG_CAP counts the banks that are there and no more, what their registers take, CR4.MCE
; see: SDM 3B 16.3 (registers), SDM 4
; needs: cpus=1
; status: 33
; QEMU: its TCG checks neither numbers nor values
; Bochs: it has no MCG_CAP
; assertions: 13

%include "lib/rom.inc"

MCG_CAP equ 0x179
MCG_STATUS equ 0x17a
MCG_CTL equ 0x17b
MC0     equ 0x400
CR4_MCE equ 1 << 6

main:
        it "CPUID: MCE and MCA"
        mov eax, 1
        cpuid
        and edx, 1 << 7 | 1 << 14
        expect_eq edx, 1 << 7 | 1 << 14
        it "there are banks"
        mov ecx, MCG_CAP
        rdmsr
        mov edi, eax
        movzx esi, al                   ; how many
        cmp esi, 1
        jae .some
        unreachable
.some:
        it "no more than 32"
        cmp esi, 32
        jbe .few
        unreachable
.few:
        it "every bank that is counted has its control and status"
        mov ecx, MC0
        lea ebx, [esi * 4 + MC0]
.bank:  rdmsr
        inc ecx
        rdmsr
        expect_eq eax, 0
        expect_eq edx, 0
        add ecx, 3
        cmp ecx, ebx
        jb .bank
        it "none behind them is there"
        cmp esi, 32
        jae .all
        mov ecx, ebx
        faults X_GP, 0, rdmsr
        inc ecx
        faults X_GP, 0, rdmsr
        xor eax, eax
        xor edx, edx
        faults X_GP, 0, wrmsr
.all:
        it "a control takes all and nothing"
        mov ecx, MC0
        mov eax, -1
        mov edx, -1
        wrmsr
        rdmsr
        expect_eq eax, 0xffffffff
        expect_eq edx, 0xffffffff
        xor eax, eax
        xor edx, edx
        wrmsr
        rdmsr
        expect_eq eax, 0
        it "a status takes 0 only"
        mov ecx, MC0 + 1
        xor eax, eax
        xor edx, edx
        wrmsr
        mov eax, 1
        faults X_GP, 0, wrmsr
        xor eax, eax
        mov edx, 0x80000000
        faults X_GP, 0, wrmsr
        it "MCG_CAP cannot be written"
        mov ecx, MCG_CAP
        mov eax, edi
        xor edx, edx
        faults X_GP, 0, wrmsr
        it "MCG_CTL is there where MCG_CAP says so"
        mov ecx, MCG_CTL
        bt edi, 8
        jnc .no_control
        rdmsr
        mov eax, -1
        mov edx, -1
        wrmsr
        rdmsr
        expect_eq eax, 0xffffffff
        jmp .control
.no_control:
        faults X_GP, 0, rdmsr
.control:
        it "MCG_STATUS keeps RIPV, EIPV, MCIP"
        mov ecx, MCG_STATUS
        mov eax, 7
        xor edx, edx
        wrmsr
        rdmsr
        expect_eq eax, 7
        xor eax, eax
        wrmsr
        rdmsr
        expect_eq eax, 0
        it "no machine check is pending"
        expect_eq edx, 0
        it "CR4.MCE can be set and cleared"
        mov eax, cr4
        or eax, CR4_MCE
        mov cr4, eax
        mov eax, cr4
        and eax, CR4_MCE
        expect_eq eax, CR4_MCE
        mov eax, cr4
        and eax, ~CR4_MCE
        mov cr4, eax
        it "ring 3: #GP(0)"
        to_user
        mov ecx, MCG_CAP
        faults X_GP, 0, rdmsr
        mov ecx, MC0 + 1
        faults X_GP, 0, rdmsr
        from_user
        finish

        image_end
