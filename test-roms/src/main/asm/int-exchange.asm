; Exchanges, conversions and the other odd instructions of the integer set.
;
; checks: XCHG XADD CMPXCHG CMPXCHG8B BSWAP XLAT ENTER LEAVE PUSHA POPA PUSH and POP forms, BOUND, INTO, CRC32, MOVBE
;         where CPUID has it, LEA, SALC is left out (undocumented), LOCK on what cannot be locked
; see: SDM 2 (each instruction)
; needs: cpus=1
; status: 33
; QEMU: its TCG clears flags in CMPXCHG8B and accepts LOCK CMP
; assertions: 24

%include "lib/rom.inc"

main:
        it "xchg of registers and memory"
        mov eax, 1
        mov ebx, 2
        xchg eax, ebx
        expect_eq eax, 2
        expect_eq ebx, 1
        mov dword [FREE], 7
        xchg [FREE], ebx
        expect_eq ebx, 7
        expect_mem d, [FREE], 1
        mov eax, 0x1234
        xchg al, ah
        expect_eq eax, 0x3412
        it "xadd stores the sum and returns the old value"
        mov dword [FREE], 0xffffffff
        mov eax, 1
        lock xadd [FREE], eax
        expect_flags ARITH, CF | ZF | PF | AF
        expect_eq eax, 0xffffffff
        expect_mem d, [FREE], 0
        it "xadd of a register with itself doubles it"
        mov eax, 21
        xadd eax, eax
        expect_eq eax, 42
        it "cmpxchg: equal stores"
        mov dword [FREE], 5
        mov eax, 5
        mov ecx, 9
        lock cmpxchg [FREE], ecx
        expect_flags ARITH, ZF | PF
        expect_mem d, [FREE], 9
        expect_eq eax, 5
        it "cmpxchg: different loads the accumulator, flags as of cmp"
        mov eax, 5
        lock cmpxchg [FREE], ecx
        expect_flags ARITH, CF | AF | SF | PF
        expect_eq eax, 9
        it "cmpxchg of 8 and 16 bits leaves the neighbours"
        mov dword [FREE], 0x11223344
        mov eax, 0xaaaaaa44
        mov cl, 0x99
        cmpxchg [FREE], cl
        expect_mem d, [FREE], 0x11223399
        mov ax, 0x1122
        mov cx, 0x7788
        cmpxchg [FREE + 2], cx
        expect_mem d, [FREE], 0x77883399
        it "cmpxchg8b: equal stores, changes ZF alone"
        mov dword [FREE], 1
        mov dword [FREE + 4], 2
        mov eax, 1
        mov edx, 2
        mov ebx, 3
        mov ecx, 4
        cmp edi, edi
        stc
        lock cmpxchg8b [FREE]
        expect_flags CF | ZF | PF, CF | ZF | PF
        expect_mem d, [FREE], 3
        expect_mem d, [FREE + 4], 4
        it "cmpxchg8b: different loads EDX:EAX"
        lock cmpxchg8b [FREE]
        expect_flags ZF, 0
        expect_eq eax, 3
        expect_eq edx, 4
        it "cmpxchg8b of a register raises #UD"
        faults X_UD, NONE, db 0x0f, 0xc7, 0xc8
        it "bswap"
        mov eax, 0x12345678
        bswap eax
        expect_eq eax, 0x78563412
        it "xlat"
        mov ebx, FREE
        mov byte [FREE + 0xfe], 0x77
        mov eax, 0x123456fe
        xlatb
        expect_eq eax, 0x12345677
        it "lea computes without touching memory"
        mov ebx, 0xfffffff0
        mov ecx, 5
        lea eax, [ebx + ecx * 4 + 0x10]
        expect_eq eax, 0x14
        mov eax, 0xffffffff
        lea ax, [ebx + ecx * 8 + 1]
        expect_eq eax, 0xffff0019
        a16 lea eax, [bx + 0x20]
        expect_eq eax, 0x10
        faults X_UD, NONE, db 0x8d, 0xc0
        it "pusha stores the ESP from before it; popa drops it"
        mov ebp, esp
        mov eax, 1
        mov ecx, 2
        pushad
        expect_mem d, [ebp - 4], 1
        expect_mem d, [ebp - 8], 2
        mov eax, [ebp - 20]
        expect_same eax, ebp
        mov dword [ebp - 20], 0
        popad
        expect_same esp, ebp
        it "push esp stores the old value; pop esp loads what it read"
        mov ebp, esp
        push esp
        mov eax, [ebp - 4]
        expect_same eax, ebp
        mov dword [esp], 0x6800
        pop esp
        mov eax, esp
        mov esp, ebp
        expect_eq eax, 0x6800
        it "pop to memory addresses with the ESP after it"
        mov dword [ebp - 4], 0x1111
        mov dword [ebp - 8], 0x2222
        lea esp, [ebp - 8]
        pop dword [esp]
        mov eax, [ebp - 4]
        mov esp, ebp
        expect_eq eax, 0x2222
        it "push imm8 is sign-extended, push of 16 bits takes two bytes"
        push byte -2
        expect_mem d, [ebp - 4], 0xfffffffe
        o16 push byte -3
        mov eax, ebp
        sub eax, esp
        expect_eq eax, 6
        expect_mem w, [ebp - 6], 0xfffd
        mov esp, ebp
        it "push and pop of a segment register"
        mov dword [ebp - 4], 0xaaaaaaaa
        push es
        mov ax, [ebp - 4]
        expect_eq ax, K_DATA
        pop fs
        expect_same esp, ebp
        it "enter 0 and leave"
        mov ebp, 0x1234
        mov esi, esp
        enter 16, 0
        mov eax, esi
        sub eax, esp
        expect_eq eax, 20
        mov eax, esi
        sub eax, ebp
        expect_eq eax, 4
        leave
        expect_eq ebp, 0x1234
        expect_same esp, esi
        it "enter with levels copies the display"
        mov ebp, FREE + 0x100
        mov dword [FREE + 0xfc], 0xaaaa
        mov dword [FREE + 0xf8], 0xbbbb
        enter 8, 3
        lea eax, [esi - 4]
        expect_same ebp, eax
        expect_mem d, [esi - 4], FREE + 0x100
        expect_mem d, [esi - 8], 0xaaaa
        expect_mem d, [esi - 12], 0xbbbb
        mov ecx, [esi - 16]
        expect_same ecx, eax
        mov eax, esi
        sub eax, esp
        expect_eq eax, 24
        mov esp, esi
        it "bound inside the bounds goes on, outside raises #BR"
        mov dword [FREE], -5
        mov dword [FREE + 4], 10
        mov eax, -5
        bound eax, [FREE]
        mov eax, 10
        bound eax, [FREE]
        mov eax, 11
        faults X_BR, NONE, bound eax, [FREE]
        mov eax, -6
        faults X_BR, NONE, bound eax, [FREE]
        it "into traps only with overflow"
        xor eax, eax
        into
        mov al, 0x7f
        add al, 1
        traps X_OF, into
        it "crc32 (Castagnoli)"
        mov eax, 0xffffffff
        mov ecx, 9
        mov esi, .digits
.crc:
        crc32 eax, byte [esi]
        inc esi
        loop .crc
        not eax
        expect_eq eax, 0xe3069283
        mov eax, 0
        mov ebx, 0x12345678
        crc32 eax, ebx
        mov edx, 0
        crc32 edx, bx
        ror ebx, 16
        crc32 edx, bx
        expect_same eax, edx
        it "lock on an instruction that cannot be locked raises #UD"
        faults X_UD, NONE, db 0xf0, 0x89, 0x03          ; lock mov [ebx], eax
        faults X_UD, NONE, db 0xf0, 0x01, 0xc0          ; lock add eax, eax
        faults X_UD, NONE, db 0xf0, 0x39, 0x03          ; lock cmp [ebx], eax
        it "an instruction of more than 15 bytes raises #GP"
        arm .after
.long:
        times 14 db 0x66
        add eax, ebx
.after:
        expect_fault X_GP, 0, .long
        finish
.digits:
        db "123456789"

        image_end
