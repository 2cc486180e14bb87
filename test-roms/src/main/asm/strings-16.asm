; String instructions of real mode.
;
; checks: SI and DI wrap at 64 KiB, segment registers and overrides, DF, REP with CX, elements at the limit
; see: SDM 1 7.3.9, SDM 3A 21.1.1 (address wrap)
; needs: cpus=1
; status: 33
; QEMU: its TCG checks no segment limits
; assertions: 9

%define WITH_REAL
%include "lib/rom.inc"

main:
        to_real
        mov ax, 0x5000
        mov ds, ax
        mov ax, 0x6000
        mov es, ax
        it "movsb from DS:SI to ES:DI"
        mov byte [0], 0x5a
        xor si, si
        xor di, di
        movsb
        expect_eq si, 1
        expect_mem b, [es:0], 0x5a
        it "SI wraps from FFFF to 0 within a REP"
        mov word [0xfffe], 0x2211
        mov word [0], 0x4433
        mov si, 0xfffe
        mov di, 0x100
        mov cx, 4
        rep movsb
        expect_eq si, 2
        expect_mem d, [es:0x100], 0x44332211
        it "DI wraps from 0 to FFFE backwards"
        mov di, 0
        mov ax, 0x6655
        mov cx, 2
        std
        rep stosw
        cld
        expect_eq di, 0xfffc
        expect_mem w, [es:0], 0x6655
        expect_mem w, [es:0xfffe], 0x6655
        it "rep stosd of 32 bits in 16-bit code"
        mov eax, 0x89abcdef
        mov di, 0x200
        mov cx, 3
        rep stosd
        expect_eq di, 0x20c
        expect_mem d, [es:0x208], 0x89abcdef
        it "an override replaces DS"
        mov si, 0x200
        mov di, 0x300
        mov cx, 2
        es rep movsw
        expect_mem d, [es:0x300], 0x89abcdef
        it "lods and scas"
        mov byte [0x10], 1
        mov byte [0x11], 2
        mov si, 0x10
        lodsw
        expect_eq ax, 0x0201
        mov byte [es:0x400], 9
        mov byte [es:0x401], 8
        mov di, 0x400
        mov cx, 0xffff
        mov al, 8
        repne scasb
        expect_eq di, 0x402
        expect_eq cx, 0xfffd
        it "repe cmpsw ends with the flags of the last pair"
        mov word [0x20], 5
        mov word [0x22], 5
        mov word [es:0x20], 5
        mov word [es:0x22], 6
        mov si, 0x20
        mov di, 0x20
        mov cx, 2
        repe cmpsw
        expect_flags CF | ZF | SF, CF | SF
        expect_eq cx, 0
        it "the high halves of ECX, ESI and EDI do not count and stay"
        mov ecx, 0x10002
        mov esi, 0x20020
        mov edi, 0x30500
        rep movsb
        expect_eq ecx, 0x10000
        expect_eq esi, 0x20022
        expect_eq edi, 0x30502
        it "a word at offset FFFF raises #GP and moves nothing"
        mov si, 0xffff
        mov di, 0x600
        mov cx, 2
        faults X_GP, NONE, rep movsw
        expect_eq si, 0xffff
        expect_eq cx, 2
        from_real
        finish

        image_end
