# Entry of a benchmark guest: multiboot 1, then 64-bit mode with 4 KiB pages one to one over the first 128 MiB. All pages
# may be used from ring 3. Behind them lie 8 MiB of address space without pages, for demand faults.

        .set    MAPPED_TABLES, 64               # page tables of 2 MiB each
        .set    EMPTY_TABLES, 4
        .set    PAGE_FLAGS, 7                   # present, writable, user

        .section .multiboot, "a"
        .align  4
        .long   0x1badb002, 0, -0x1badb002

        .code32
        .text
        .globl  _start
_start:
        cli
        cld
        movl    $stack_top, %esp
        movl    %ebx, multiboot_info
        movl    $page_tables, %edi
        movl    $PAGE_FLAGS, %eax
1:      movl    %eax, (%edi)
        movl    $0, 4(%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        cmpl    $page_tables + MAPPED_TABLES * 4096, %edi
        jb      1b
        movl    $page_directory, %edi
        movl    $page_tables + PAGE_FLAGS, %eax
        movl    $MAPPED_TABLES + EMPTY_TABLES, %ecx
2:      movl    %eax, (%edi)
        addl    $0x1000, %eax
        addl    $8, %edi
        decl    %ecx
        jnz     2b
        movl    $page_directory + PAGE_FLAGS, page_pointers
        movl    $page_pointers + PAGE_FLAGS, page_map
        movl    $0x620, %eax                    # PAE, OSFXSR, OSXMMEXCPT
        movl    %eax, %cr4
        movl    $page_map, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx
        movl    $0x101, %eax                    # LME, SCE
        xorl    %edx, %edx
        wrmsr
        movl    $0x80010033, %eax               # PG, WP, NE, ET, MP, PE
        movl    %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $8, $long_mode

        .code64
long_mode:
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        xorl    %eax, %eax
        movl    %eax, %fs
        movl    %eax, %gs
        movq    $stack_top, %rsp
        # The TSS's descriptor holds its address in pieces.
        movq    $tss, %rax
        movw    %ax, gdt + 0x32
        shrq    $16, %rax
        movb    %al, gdt + 0x34
        movb    %ah, gdt + 0x37
        movl    $0x30, %eax
        ltr     %ax
        # All exceptions lead to a gate each.
        movq    $idt, %rdi
        movq    $gates, %rax
        movl    $32, %ecx
3:      movw    %ax, (%rdi)
        movw    $8, 2(%rdi)
        movw    $0x8e00, 4(%rdi)
        movq    %rax, %rdx
        shrq    $16, %rdx
        movw    %dx, 6(%rdi)
        addq    $16, %rdi
        addq    $16, %rax
        decl    %ecx
        jnz     3b
        lidt    idt_pointer
        fninit
        call    bench_main

# gate N: pushes N and goes to the common handler; 16 bytes each.
        .align  16
gates:
        .set    vector, 0
        .rept   32
        .align  16
        pushq   $vector
        jmp     fault
        .set    vector, vector + 1
        .endr

# A page fault may be a demand fault; everything else ends the run.
fault:
        cmpq    $14, (%rsp)
        jne     4f
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        movq    %cr2, %rdi
        movq    80(%rsp), %rsi                  # the error code
        cld
        call    page_fault
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rdx
        popq    %rcx
        popq    %rax
        addq    $16, %rsp
        iretq
4:      movq    (%rsp), %rdi
        movq    8(%rsp), %rsi
        movq    16(%rsp), %rdx
        andq    $-16, %rsp
        call    bench_fault

# void run_user(void (*code)(void), void *stack): runs code in ring 3 until its system call number 0.
        .globl  run_user
run_user:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, kernel_stack
        movq    %rdi, %rcx
        movq    %rsi, %rsp
        movl    $0x202, %r11d
        andl    $~0x200, %r11d                  # interrupts stay off
        sysretq

# SYSCALL: number in RDI, argument in RSI, result in RAX.
        .globl  system_call_entry
system_call_entry:
        movq    %rsp, user_stack
        movq    kernel_stack, %rsp
        testq   %rdi, %rdi
        jz      5f
        pushq   %rcx
        pushq   %r11
        call    system_call
        popq    %r11
        popq    %rcx
        movq    user_stack, %rsp
        sysretq
5:      popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret

        .data
        .align  16
gdt:
        .quad   0
        .quad   0x00af9b000000ffff              # 08: kernel code
        .quad   0x00cf93000000ffff              # 10: kernel data
        .quad   0x00cffb000000ffff              # 18: user code, 32 bits: what SYSRET counts from
        .quad   0x00cff3000000ffff              # 20: user data
        .quad   0x00affb000000ffff              # 28: user code
        .quad   0x0000890000000067, 0           # 30: TSS
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        .quad   gdt
idt_pointer:
        .word   32 * 16 - 1
        .quad   idt
        .align  16
tss:
        .long   0
        .quad   fault_stack_top                 # RSP0
        .fill   92, 1, 0
        .globl  multiboot_info
multiboot_info:
        .quad   0
kernel_stack:
        .quad   0
user_stack:
        .quad   0

        .bss
        .align  4096
page_map:
        .skip   4096
page_pointers:
        .skip   4096
page_directory:
        .skip   4096
page_tables:
        .skip   MAPPED_TABLES * 4096
        .globl  empty_tables
empty_tables:
        .skip   EMPTY_TABLES * 4096
idt:
        .skip   32 * 16
        .skip   65536
stack_top:
        .skip   16384
fault_stack_top:
