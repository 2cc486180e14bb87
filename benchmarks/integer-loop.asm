; The loop of interpreter-vs-bochs.sh: a 64 KiB ROM image at the top of the address space that enters long mode,
; copies a loop to RAM, runs it ITERATIONS times (18 instructions each) and ends the run.
;
; Built with: nasm -f bin -D ITERATIONS=50000000 -o integer-loop.rom integer-loop.asm

%ifndef ITERATIONS
%define ITERATIONS 50000000
%endif

TABLES  equ 0x1000              ; PML4, PDPT, two PDs: the first GiB and the last 2 MiB (this ROM) by 2 MiB pages
CODE    equ 0x10000             ; where the loop is copied to
DATA    equ 0x20000             ; 8 KiB that the loop reads and writes
STACK   equ 0x30000
ROM     equ 0xFFFF0000          ; where this image is mapped

        org 0
        bits 32
protected:
        mov ax, 0x10
        mov ds, ax
        mov es, ax
        mov ss, ax
        cld
        mov esi, ROM + long_start
        mov edi, CODE
        mov ecx, long_end - long_start
        rep movsb
        xor eax, eax
        mov edi, TABLES
        mov ecx, 4 * 1024
        rep stosd
        mov dword [TABLES], TABLES + 0x1003
        mov dword [TABLES + 0x1000], TABLES + 0x2003
        mov dword [TABLES + 0x1000 + 3 * 8], TABLES + 0x3003
        mov dword [TABLES + 0x3000 + 511 * 8], 0xFFE00083
        mov eax, 0x83
        mov edi, TABLES + 0x2000
        mov ecx, 512
.fill:  mov [edi], eax
        add eax, 0x200000
        add edi, 8
        loop .fill
        mov eax, cr4
        or eax, 0x20            ; PAE
        mov cr4, eax
        mov eax, TABLES
        mov cr3, eax
        mov ecx, 0xC0000080     ; EFER.LME
        rdmsr
        or eax, 0x100
        wrmsr
        mov eax, cr0
        or eax, 0x80000000      ; PG
        mov cr0, eax
        jmp 0x18:CODE

        bits 64
        default rel
long_start:
        mov rsp, STACK
        mov r8, ITERATIONS
        mov rsi, DATA
        mov rax, 0x0123456789ABCDEF
        mov rbx, 0x9E3779B97F4A7C15
        xor edx, edx
        xor r9d, r9d
        jmp .loop
        align 64, nop
.loop:  mov rcx, rax            ;  1
        shr rcx, 7              ;  2
        xor rax, rcx            ;  3
        add rax, rbx            ;  4
        lea rdi, [rax + rax*4 + 17] ; 5
        mov ecx, eax            ;  6
        and ecx, 0x1FF8         ;  7
        mov r10, [rsi + rcx]    ;  8
        add r10, rdi            ;  9
        mov [rsi + rcx], r10    ; 10
        imul rdi, r10           ; 11
        sub rdx, rdi            ; 12
        test al, 1              ; 13
        jz .even                ; 14   taken half of the time: both ways execute one more instruction
        inc r9                  ; 15
        jmp .join               ; 16
.even:  add r9, rdx             ; 15
        nop                     ; 16
.join:  dec r8                  ; 17
        jnz .loop               ; 18
        ; Bochs ends at this word on its port 8900h, SoftKVM at the debug-exit port (status 33).
        mov dx, 0x8900
        lea rsi, [.word]
        mov ecx, 8
.out:   lodsb
        out dx, al
        dec ecx
        jnz .out
        mov al, 0x10
        out 0xF4, al
.halt:  cli
        hlt
        jmp .halt
.word:  db "Shutdown"
long_end:

        align 16, db 0
gdt:    dq 0
        dq 0x00CF9B000000FFFF   ; 08 code, 32 bit
        dq 0x00CF93000000FFFF   ; 10 data
        dq 0x00AF9B000000FFFF   ; 18 code, 64 bit
gdtr:   dw gdtr - gdt - 1
        dd ROM + gdt

        bits 16
real:   cli
        o32 cs lgdt [gdtr]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp dword 0x08:ROM + protected

        times 0xFFF0 - ($ - $$) db 0xFF
        jmp near real
        times 0x10000 - ($ - $$) db 0xFF
