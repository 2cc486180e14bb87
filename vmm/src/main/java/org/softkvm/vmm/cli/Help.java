package org.softkvm.vmm.cli;

/** What --help prints. */
final class Help {
    static final String TEXT = """
            SoftKVM: KVM in software, in pure Java.

            softkvm run [IMAGE] [options]   boots a PC, prints the guest's serial output, exits with the guest's status
            softkvm info                    shows backends, capabilities and the host
            softkvm --help | --version

            What to boot:
              IMAGE                   flat ROM, boot sector, multiboot or ELF kernel, vmlinux or bzImage: told by content
              --kernel F              a kernel (instead of IMAGE); bzImages are unpacked on the host
              --initrd F              its initial RAM disk (multiboot: the first module)
              --boot-protocol P       how a kernel is entered: auto (default), pvh, linux32 or linux64
              --append S              its command line
              --module 'F args'       a boot module; repeatable
              --no-kernel-cache       neither uses nor keeps unpacked kernels. Else the last four above 4 MiB are kept in
                                      the folder 'kernels' of $SOFTKVM_CACHE, or of ~/.cache/softkvm (XDG_CACHE_HOME
                                      counts; macOS: ~/Library/Caches, Windows: %LOCALAPPDATA%) where that is not
                                      set. Set and empty it means --no-kernel-cache. Beside it stands for an hour
                                      that auto passed /dev/kvm over (--backend), unless SOFTKVM_CACHE is empty.

            The machine:
              --memory SIZE           RAM, as 256M or 2G; without a letter in MiB (default 256M; 286: 4M; 8086: 1M)
              --cpu MODEL             max (all that is implemented, the default), x86-64-v2, x86-64-v3, pentium2, 486,
                                      286 or 8086; with features added or removed: x86-64-v2,+name,-name; the vendor by
                                      vendor=AuthenticAMD
              --cpus N                number of CPUs (1)
              --irqchip split|full    PIC, IOAPIC and PIT on the board (default), or in the backend with the local APICs
              --without LIST          devices to leave out: pit, hpet (there is none), as pit,hpet
              --backend NAME          auto (default), kvm (/dev/kvm), emulator, or abi (the emulator behind KVM's binary
                                      interface); 'softkvm info' shows which work here
              --engine NAME           auto (default: interpreter, hot code translated), interpreter,
                                      or translator (everything is translated at once: for tests)
              --clock host|virtual    what time is (default host). virtual: an instruction takes 1 ns, an access to a
                                      device 1 us, waiting nothing, so that every run does the same; CPUs take turns;
                                      input of the serial port comes from a file only (< F)
              --serial stdio|file:F|none       where COM1 leads (default stdio)
                                      At a terminal every key goes to the guest, Ctrl-C too; Ctrl-A X ends the run,
                                      Ctrl-A S saves (--save), Ctrl-A H helps, Ctrl-A Ctrl-A sends Ctrl-A.
              --debugcon PORT[=stdio|file:F]   a debug console, such as 0x402 or 0xe9; repeatable
              --screen none

            Snapshots:
              --save F                saves the machine to F when the run ends by --expect, --timeout, --max-instructions
                                      or Ctrl-A S: memory, CPUs, devices, and what was booted
              --restore F             goes on with the machine of F; no image is given then, and what contradicts the
                                      saved machine is refused. Any backend restores what any other one saved.

            When to stop, and what to tell:
              --no-reboot             when the guest resets the machine, which starts again otherwise
              --timeout T             after T seconds, or as 500ms, 90s, 5m, 1h
              --max-instructions N    after N guest instructions of all CPUs together: exactly, but where several CPUs
                                      run under the host's clock, which may stop up to 100,000 short for each
              --expect TEXT           when TEXT was seen on COM1 or a debug console
              --stats [json]          instructions, MIPS, exits by kind and more, on standard error; the keys of json:
                  reason status cpus  how the run ended, its exit status, CPUs
                  instructions mips   of all CPUs; an iteration of REP is one; host time in HLT left out
                  seconds guest_seconds halt_seconds virtual_seconds
                                      host time: of the run, in guest code, halted; guest time under --clock virtual
                  interrupts faults tlb_misses tlb_flushes blocks_decoded
                  interpreted fallbacks side_exits regions
                                      instructions that the interpreter executed (REP counts once), instructions that
                                      translated code left to it, what the translator made: counts, bytes, seconds
                  exits               by KVM's names
                  state_hash          text, with --state-hash; what is not known is null
              --state-hash            a digest of memory, CPUs and devices at the end

            Exit status:
              0      the guest powered off, the text of --expect was seen, or saved by Ctrl-A S
              n      the guest wrote v to the debug-exit port F4h: n = (v << 1) | 1
              124    time-out or instruction limit
              125    an error of SoftKVM or in what it was given, said in one line; also when the guest powered off
                     before the text of --expect was seen, or ended before --save could save it
              126    triple fault, or a reset with --no-reboot
              130    ended by Ctrl-A X
            """;

    private Help() {}
}
