; Resets of the machine: it starts again, like after power-on.
;
; checks: reset by port 92h, by port CF9h and by the keyboard controller, each from a CPU that has paging, an enabled local APIC
;         and a second CPU running; afterwards memory holds what was loaded, control registers, MSRs, local APIC and IOAPIC
;         are as after power-on, A20 is open, the other CPU waits; the CMOS RAM and the calendar go on
; see: PIIX4 (port 92h, CF9h), 8042 (command FE), SDM 3A table 10-1
; needs: cpus=2
; status: 33
; QEMU: with -no-reboot it ends at the first reset
; Bochs: its port CF9h does nothing
; assertions: 14

%include "lib/rom.inc"
%include "lib/chips.inc"
%include "lib/smp.inc"

; CMOS RAM, which a reset leaves alone.
C_MAGIC equ 0x40                        ; A5 once there was a first start
C_STEP  equ 0x41                        ; resets so far
C_SEEN  equ 0x42                        ; what each start found: one byte each
C_YEAR  equ 0x09
MAGIC   equ 0xa5
MARK    equ 0x60000
PAGES   equ 0x70000
ALL     equ 0x7f

%macro cmos_read 1                      ; AL = a byte of CMOS RAM
        mov al, %1
        out CMOS_INDEX, al
        in al, CMOS_DATA
%endmacro
%macro cmos_write 2                     ; not by AL
        mov al, %1
        out CMOS_INDEX, al
        mov al, %2
        out CMOS_DATA, al
%endmacro
%macro found 2                          ; the bit is set if the flags say so
        set%2 al
        movzx eax, al
        shl eax, %1
        or ebx, eax
%endmacro

; EBX = what this start finds, a bit for each thing that is as after power-on.
observe:
        xor ebx, ebx
        cmp dword [MARK], 0
        found 0, e
        cmp dword [APIC_SVR], 0xff
        found 1, e
        mov ecx, 0x175                  ; IA32_SYSENTER_ESP
        rdmsr
        test eax, eax
        found 2, z
        mov eax, cr4
        test eax, eax
        found 3, z
        in al, 0x92
        test al, 2
        found 4, nz
        mov dword [IOAPIC_INDEX], 0x18  ; entry 4
        cmp dword [IOAPIC_DATA], 0x10000
        found 5, e
        mov eax, cr0
        test eax, eax
        found 6, ns                     ; paging off
        ret

; Changes all of that.
disturb:
        start_cpus 2
        on_cpu 1, .spin
        mov dword [MARK], 0x12345678
        mov dword [APIC_TPR], 0x50
        mov ecx, 0x175
        mov eax, 0x1000
        xor edx, edx
        wrmsr
        mov dword [IOAPIC_INDEX], 0x18
        mov dword [IOAPIC_DATA], 0x41
        mov dword [PAGES], 0x83         ; one page of 4 MiB, and the APICs
        mov dword [PAGES + 0xfec], 0xfec00083
        mov eax, cr4
        or eax, 0x10
        mov cr4, eax
        mov eax, PAGES
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
        jmp .on
.on:
        ret
.spin:
        inc dword [MARK + 64]
        jmp .spin

main:
        cmos_read C_MAGIC
        cmp al, MAGIC
        je .again
        cmos_write C_MAGIC, MAGIC
        cmos_write C_STEP, 0
.again:
        call observe
        cmos_read C_STEP
        movzx esi, al
        mov ecx, esi
        add cl, C_SEEN
        cmos_write cl, bl
        cmp esi, 3
        je .end
        mov ecx, esi
        inc ecx
        cmos_write C_STEP, cl
        push esi
        call disturb
        pop esi
        cmp esi, 1
        jb .port92
        je .cf9
        mov al, 0xfe
        out 0x64, al
        jmp .dead
.port92:
        in al, 0x92
        or al, 1
        out 0x92, al
        jmp .dead
.cf9:
        mov dx, 0xcf9
        mov al, 2
        out dx, al
        mov al, 6
        out dx, al
.dead:
        hlt
        jmp .dead

.end:
        it "the first start"
        cmos_read C_SEEN
        movzx eax, al
        expect_eq eax, ALL
%macro start_after 2                    ; name, number
        cmos_read C_SEEN + %2
        movzx esi, al
        it %1
        expect_eq esi, ALL
%endmacro
        start_after "port 92h: all is as after power-on", 1
        start_after "port CF9h: all is as after power-on", 2
        start_after "keyboard controller: all is as after power-on", 3
        it "memory holds what was loaded"
        expect_mem d, [MARK], 0
        expect_mem d, [MARK + 64], 0
        it "the CMOS RAM goes on"
        cmos_read C_STEP
        movzx eax, al
        expect_eq eax, 3
        it "the calendar runs"
        cmos_read 0x0a
        and eax, 0x70
        expect_eq eax, 0x20
        it "the interrupts of the RTC are off"
        cmos_read 0x0b
        and eax, 0x70
        expect_eq eax, 0
        it "the other CPU waits to be started"
        mov dword [SMP_STARTED], 0
        wait_us 2000
        expect_mem d, [MARK + 64], 0
        it "and can be started"
        start_cpus 2
        expect_var SMP_STARTED, 1
        it "the local APIC had task priority 0"
        mov eax, [APIC_TPR]
        expect_eq eax, 0
        it "an interrupt arrives"
        send_short APIC_SELF | 0x41
        sti
        nop
        nop
        cli
        expect_var v_irqs + 0x41 * 4, 1
        it "the flags are those of a start"
        expect_flags IF | TF | DF | VM, 0
        all_well
        cmos_write C_MAGIC, 0
        finish

        image_end
