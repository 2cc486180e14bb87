; Events that meet each other, and page faults on the way into a handler, in 64-bit mode.
;
; checks: order of NMI and interrupts, interrupts that wait for IF, IRET and SYSRET-free returns; page faults of the IDT, of
;         the GDT, of the stack and of the handler: error code, CR2, RIP, what is tried again
; see: SDM 3A 6.9 (priority), 6.14 (64-bit interrupts), 6.15 (#DF, #PF); KVM's unit test eventinj
; needs: cpus=1
; status: 33
; Bochs: sends itself no NMI
; assertions: 15

%define WITH_LONG
%include "lib/rom.inc"

LAPIC           equ 0xfee00000
ICR_LOW         equ LAPIC + 0x300
SELF            equ 1 << 18
NMI_SELF        equ SELF | 0x400

; A copy of the IDT of which vectors from 20h on lie in a page of their own, and one of the GDT likewise from selector 80h on.
IDT_PAGE        equ 0x61000
IDT_COPY        equ IDT_PAGE - 0x20 * 16
GDT_PAGE        equ 0x63000
GDT_COPY        equ GDT_PAGE - 0x80
FAR_CODE        equ 0x80
STACK_PAGE      equ 0x65000
HANDLER_PAGE    equ 0x67000
LOW_PAGE        equ 0x68000             ; of a third IDT: its first 8 vectors
IDT_LOW         equ LOW_PAGE + 0x1000 - 8 * 16

var     order, 32                       ; the vectors as they came
var     events

%macro absent 1
        and dword [PT0 + ((%1) >> 12) * 8], ~P_P
        invlpg [abs %1]
%endmacro
%macro present 1
        or dword [PT0 + ((%1) >> 12) * 8], P_P
%endmacro
%macro send 1                           ; to itself
        mov edx, ICR_LOW
        mov dword [rdx], %1
%endmacro

        bits 64
; Notes the vector, ends interrupts.
note:
        mov ecx, [events]
        mov eax, [v_vec]
        mov [order + ecx], al
        inc ecx
        and ecx, 31
        mov [events], ecx
        cmp eax, 0x20
        jb .end
        mov edx, LAPIC + 0xb0
        mov dword [rdx], 0
.end:
        ret

; Maps the stack after a double fault and goes on at df_after, still in ring 3.
leave_df:
        or dword [PT0 + (STACK_PAGE >> 12) * 8], P_P
        mov qword [rbx], df_after
        jmp note

; Maps the page of a fault, and notes it.
mend:
        mov eax, [v_vec]
        cmp eax, X_PF
        jne note
        mov eax, [v_cr2]
        shr eax, 12
        or dword [PT0 + rax * 8], P_P
        jmp note

%macro begin_events 1
        mov dword [events], 0
        mov qword [order], 0
        mov qword [v_hook], %1
%endmacro

        bits 32
main:
        to_long
        mov edx, LAPIC + 0xf0
        mov dword [rdx], 0x15f          ; on, spurious vector 5Fh
        mov dword [rdx - 0x70], 0       ; TPR
        mov esi, IDT64
        mov edi, IDT_COPY
        mov ecx, VECTORS * 2
        rep movsq
        mov esi, gdt
        mov edi, GDT_COPY
        mov ecx, GDT_ENTRIES
        rep movsq
        mov rax, [gdt + K_CODE64]
        mov [GDT_COPY + FAR_CODE], rax
        lidt [idt_copy]
        lgdt [gdt_copy]

        it "of two waiting interrupts the higher comes first, and keeps the lower out"
        begin_events note
        send SELF | 0x31
        send SELF | 0x52
        sti
        nop
        nop
        cli
        mov eax, [order]
        expect_eq eax, 0x3152
        it "an NMI comes before both, whatever IF"
        begin_events note
        send SELF | 0x31
        send SELF | 0x52
        send NMI_SELF
        nop
        sti
        nop
        nop
        cli
        mov eax, [order]
        expect_eq eax, 0x315202
        it "an interrupt waits for IRETQ to set IF, and comes at its target"
        begin_events note
        send SELF | 0x33
        mov rax, rsp
        push qword K_DATA
        push rax
        push qword IF | 2
        push qword K_CODE64
        push qword .target
        iretq
.target:
        cli
        mov eax, [order]
        expect_eq eax, 0x33
        mov rax, [v_ip]
        expect_is eax, .target
        it "in the same class the second waits for the end of the first"
        begin_events note
        send SELF | 0x34
        send SELF | 0x35
        sti
        nop
        nop
        cli
        mov eax, [order]
        expect_eq eax, 0x3435

        it "INT n whose gate lies in a page that is absent: #PF(0) at the INT, CR2 at the gate"
        mov qword [v_hook], 0
        absent IDT_PAGE
        faults X_PF, 0, int 0x30
        mov rax, [v_cr2]
        expect_eq rax, IDT_COPY + 0x30 * 16
        it "when the handler of #PF maps it, the INT is made again"
        begin_events mend
        int 0x31
        mov eax, [order]
        expect_eq eax, 0x310e
        it "an interrupt whose gate is absent is not lost"
        begin_events mend
        absent IDT_PAGE
        send SELF | 0x36
        sti
        nop
        nop
        cli
        mov eax, [order]
        and eax, 0xff
        expect_eq eax, X_PF
        it "a gate whose segment's descriptor is absent: #PF(0), CR2 at the descriptor"
        mov qword [v_hook], 0
        mov word [IDT_COPY + 0x32 * 16 + 2], FAR_CODE
        and byte [GDT_COPY + FAR_CODE + 5], 0xfe ; not accessed
        absent GDT_PAGE
        faults X_PF, 0, int 0x32
        mov rax, [v_cr2]
        expect_eq rax, GDT_COPY + FAR_CODE
        it "in a read-only page the accessed bit of the descriptor cannot be set: #PF(3), with CR0.WP"
        present GDT_PAGE
        and dword [PT0 + (GDT_PAGE >> 12) * 8], ~P_W
        invlpg [abs GDT_PAGE]
        mov rax, cr0
        or eax, CR0_WP
        mov cr0, rax
        arm .ro_after
.ro:    int 0x32
.ro_after:
        ; both orders of check and access are right: the handler, or the fault
        mov eax, [v_vec]
        cmp eax, 0x32
        je .ro_ran
        expect_fault X_PF, 3, .ro
.ro_ran:
        mov rax, cr0
        and eax, ~CR0_WP
        mov cr0, rax
        or dword [PT0 + (GDT_PAGE >> 12) * 8], P_W
        invlpg [abs GDT_PAGE]
        mov qword [v_resume], 0

        it "an IST stack that is absent: #PF(2), CR2 below its top"
        mov dword [TSS64 + 0x34], STACK_PAGE + 0x1000 ; IST3
        mov dword [TSS64 + 0x38], 0
        mov byte [IDT_COPY + 0x33 * 16 + 4], 3
        absent STACK_PAGE
        faults X_PF, 2, int 0x33
        mov rax, [v_cr2]
        and eax, ~0xfff
        expect_eq rax, STACK_PAGE
        it "mapped by the handler, the INT is made again on it"
        begin_events mend
        int 0x33
        mov eax, [order]
        expect_eq eax, 0x330e
        mov byte [IDT_COPY + 0x33 * 16 + 4], 0
        it "a ring-0 stack that is absent, met from ring 3: #PF, then on the same stack a double fault"
        begin_events leave_df
        mov dword [TSS64 + 4], STACK_PAGE + 0x1000
        mov byte [IDT_COPY + X_DF * 16 + 4], 1
        absent STACK_PAGE
        to_user64
.df:    int 0x34
        ud2
df_after:
        from_user64
        mov eax, [order]
        expect_eq eax, X_DF
        expect_fault X_DF, 0, main.df
        expect_var v_cr2, STACK_PAGE + 0xff8
        mov dword [TSS64 + 4], RING0_STACK

        it "a handler that is absent: delivered, then #PF(10h) of its fetch"
        mov word [IDT_COPY + 0x35 * 16], HANDLER_PAGE & 0xffff
        mov word [IDT_COPY + 0x35 * 16 + 6], HANDLER_PAGE >> 16
        absent HANDLER_PAGE
        mov qword [v_hook], 0
        mov rsp, MAIN_STACK
        arm .handler_after
        int 0x35
.handler_after:
        mov rsp, MAIN_STACK
        expect_fault X_PF, 0x10, HANDLER_PAGE
        mov rax, [v_sp]
        expect_eq rax, MAIN_STACK - 40
        it "a #UD whose gate is absent is a #PF at the instruction, and then the #UD"
        begin_events resume_ud
        mov esi, IDT64
        mov edi, IDT_LOW
        mov ecx, VECTORS * 2
        rep movsq
        lidt [idt_low]
        absent LOW_PAGE
        ud2
        lidt [idt_copy]
        mov eax, [order]
        expect_eq eax, 0x060e
        it "interrupts go on as before"
        begin_events note
        send SELF | 0x37
        sti
        nop
        nop
        cli
        mov eax, [order]
        expect_eq eax, 0x37
        finish

; As `mend`; a #UD goes on behind the UD2.
resume_ud:
        cmp dword [v_vec], X_UD
        jne mend
        add qword [rbx], 2
        jmp note

        align 8
idt_copy:
        dw VECTORS * 16 - 1
        dq IDT_COPY
gdt_copy:
        dw GDT_ENTRIES * 8 - 1
        dq GDT_COPY
idt_low:
        dw VECTORS * 16 - 1
        dq IDT_LOW

        image_end
