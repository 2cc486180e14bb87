; String instructions of 32-bit code.
;
; checks: MOVS STOS LODS SCAS CMPS in each size, each REP form, both directions, overlaps, count 0, 16-bit addresses,
;         segment overrides
; see: SDM 1 7.3.9 (string operations), SDM 2 (REP, each instruction)
; needs: cpus=1
; status: 33
; assertions: 21

%include "lib/rom.inc"

SOURCE  equ FREE
TARGET  equ FREE + 0x1000

; Fills 256 bytes at SOURCE with 0..255 and as many at TARGET with EE; ESI and EDI point to them, ECX = 0.
fill:
        mov edi, SOURCE
        xor eax, eax
        mov ecx, 256
.next:
        stosb
        inc eax
        loop .next
        mov edi, TARGET
        mov al, 0xee
        mov ecx, 256
        rep stosb
        mov esi, SOURCE
        mov edi, TARGET
        ret

main:
        it "movsb, movsw, movsd step by their size"
        call fill
        movsb
        movsw
        movsd
        expect_eq esi, SOURCE + 7
        expect_eq edi, TARGET + 7
        expect_mem d, [TARGET], 0x03020100
        expect_mem d, [TARGET + 4], 0xee060504
        it "rep movsb"
        call fill
        mov ecx, 13
        rep movsb
        expect_eq ecx, 0
        expect_eq esi, SOURCE + 13
        expect_eq edi, TARGET + 13
        expect_mem d, [TARGET + 10], 0xee0c0b0a
        it "rep movsd"
        call fill
        mov ecx, 60
        rep movsd
        expect_eq esi, SOURCE + 240
        expect_mem d, [TARGET + 236], 0xefeeedec
        expect_mem d, [TARGET + 240], 0xeeeeeeee
        it "rep movsb backwards"
        call fill
        add esi, 9
        add edi, 9
        mov ecx, 10
        std
        rep movsb
        expect_flags DF, DF
        cld
        expect_eq esi, SOURCE - 1
        expect_eq edi, TARGET - 1
        expect_mem d, [TARGET + 8], 0xeeee0908
        expect_mem d, [TARGET], 0x03020100
        it "rep movsw backwards"
        call fill
        add esi, 8
        add edi, 8
        mov ecx, 3
        std
        rep movsw
        cld
        expect_eq esi, SOURCE + 2
        expect_mem d, [TARGET + 4], 0x07060504
        expect_mem d, [TARGET], 0xeeeeeeee
        it "rep movsb over itself by one byte repeats the byte"
        call fill
        mov edi, SOURCE + 1
        mov ecx, 100
        rep movsb
        expect_mem d, [SOURCE + 97], 0
        expect_mem b, [SOURCE + 101], 101
        it "rep movsd over itself by less than its size copies element by element"
        call fill
        mov edi, SOURCE + 2
        mov ecx, 3
        rep movsd
        expect_mem d, [SOURCE], 0x01000100
        expect_mem d, [SOURCE + 4], 0x03020302
        expect_mem d, [SOURCE + 8], 0x07060706
        expect_mem d, [SOURCE + 12], 0x0f0e0b0a
        it "a count of 0 touches nothing"
        call fill
        mov esi, 0xf0000000
        xor ecx, ecx
        rep movsd
        repe cmpsb
        expect_eq esi, 0xf0000000
        expect_eq edi, TARGET
        expect_mem d, [TARGET], 0xeeeeeeee
        it "rep stosw and stosd"
        call fill
        mov eax, 0x12345678
        mov ecx, 3
        rep stosw
        mov ecx, 2
        rep stosd
        expect_eq edi, TARGET + 14
        expect_mem d, [TARGET + 4], 0x56785678
        expect_mem d, [TARGET + 10], 0x12345678
        expect_mem w, [TARGET + 14], 0xeeee
        it "lodsb, lodsw, lodsd"
        call fill
        mov eax, 0xffffffff
        lodsb
        expect_eq eax, 0xffffff00
        lodsw
        expect_eq eax, 0xffff0201
        lodsd
        expect_eq eax, 0x06050403
        it "rep lodsb leaves the last element"
        call fill
        mov ecx, 100
        rep lodsb
        expect_eq al, 99
        expect_eq esi, SOURCE + 100
        it "repne scasb finds a byte and stops after it"
        call fill
        mov edi, SOURCE
        mov al, 77
        mov ecx, 256
        repne scasb
        expect_flags ZF, ZF
        expect_eq edi, SOURCE + 78
        expect_eq ecx, 178
        it "repe scasd stops at the first difference"
        call fill
        mov dword [TARGET + 40], 0xeeeeeeed
        mov eax, 0xeeeeeeee
        mov ecx, 64
        repe scasd
        expect_flags ZF | CF, 0
        expect_eq edi, TARGET + 44
        expect_eq ecx, 53
        it "scasw compares the accumulator with memory, in this order"
        call fill
        mov word [TARGET], 5
        mov ax, 3
        scasw
        expect_flags ARITH, CF | SF | AF
        it "repe cmpsb"
        call fill
        mov ecx, 256
        push ecx
        rep movsb
        pop ecx
        mov byte [TARGET + 50], 0xff
        mov esi, SOURCE
        mov edi, TARGET
        repe cmpsb
        expect_flags CF | ZF, CF
        expect_eq esi, SOURCE + 51
        expect_eq edi, TARGET + 51
        expect_eq ecx, 205
        it "repe cmpsd to the end leaves ZF"
        mov esi, SOURCE
        mov edi, TARGET
        mov ecx, 12
        repe cmpsd
        expect_flags ZF, ZF
        expect_eq ecx, 0
        it "repne cmpsw stops at an equal pair"
        call fill
        mov word [TARGET + 6], 0x0706
        mov ecx, 20
        repne cmpsw
        expect_flags ZF, ZF
        expect_eq ecx, 16
        it "16-bit addresses wrap at 64 KiB and use CX"
        mov esi, 0x1234ffff
        mov edi, 0x56780000 + FREE_LOW
        mov ecx, 0xabcd0002
        mov byte [0x10000], 0x33
        mov al, [0]
        mov bl, [0xffff]
        mov ah, al
        mov al, bl
        a16 rep movsb
        expect_eq esi, 0x12340001
        expect_eq edi, 0x56780002 + FREE_LOW
        expect_eq ecx, 0xabcd0000
        mov cx, [FREE_LOW]
        expect_same cx, ax
        it "a segment override moves the source, never the destination"
        call fill
        make_descriptor SEL_FREE, SOURCE + 0x80, 0xfff, A_DATA, G_32
        mov ax, SEL_FREE
        mov fs, ax
        xor esi, esi
        mov ecx, 2
        fs rep movsd
        expect_mem d, [TARGET], 0x83828180
        expect_mem d, [TARGET + 4], 0x87868584
        it "string I/O: rep insb reads a port into memory"
        call fill
        mov dx, 0x21                    ; the mask of the master PIC: FF
        mov ecx, 3
        rep insb
        expect_eq edi, TARGET + 3
        expect_eq ecx, 0
        expect_mem d, [TARGET], 0xeeffffff
        it "string I/O: rep outsb writes memory to a port"
        call fill
        mov byte [SOURCE], 0xaa
        mov byte [SOURCE + 1], 0xfb
        mov ecx, 2
        rep outsb
        in al, 0x21
        expect_eq al, 0xfb
        expect_eq esi, SOURCE + 2
        finish

        image_end
