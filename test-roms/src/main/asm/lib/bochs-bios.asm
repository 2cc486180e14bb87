; A BIOS image that loads one ROM (-DROM="'file'") and enters it as a multiboot loader would: for oracle.sh.

        bits 16
        org 0
payload:
        incbin ROM
payload_end:
        times 0x10000 - ($ - $$) db 0
code:
        cli
        cld
        o32 lgdt [cs:gdtr - code_base]
        mov eax, cr0
        or al, 1
        mov cr0, eax
        jmp dword 8:protected - code_base + 0xffff0000
        bits 32
protected:
        mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        in al, 0x92                     ; A20
        or al, 2
        out 0x92, al
        mov dx, 0xcf8                   ; PIIX4 power management: PMBA = 600, enabled
        mov eax, 0x80000b40
        out dx, eax
        mov dx, 0xcfc
        mov eax, 0x601
        out dx, eax
        mov dx, 0xcf8
        mov eax, 0x80000b80
        out dx, eax
        mov dx, 0xcfc
        mov eax, 1
        out dx, eax
        mov esi, 0xfffe0000
        mov edi, 0x100000
        mov ecx, payload_end - payload
        rep movsb
        mov eax, 0x2badb002
        jmp [0x100018]                  ; e_entry
        align 8
gdt:
        dq 0
        dq 0x00cf9b000000ffff
        dq 0x00cf93000000ffff
gdtr:
        dw 23
        dd gdt - code_base + 0xffff0000
code_base       equ 0x10000
SIZE            equ 0x20000
        times SIZE - 16 - ($ - $$) db 0
        bits 16
        jmp 0xf000:code - code_base
        times SIZE - ($ - $$) db 0
