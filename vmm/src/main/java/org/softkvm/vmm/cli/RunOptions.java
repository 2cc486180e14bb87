package org.softkvm.vmm.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;

/** The options of 'softkvm run': their syntax. {@link RunCommand} gives them meaning. */
final class RunOptions {
    static final String APPEND = "append";
    static final String BACKEND = "backend";
    static final String BOOT = "boot";
    static final String BOOT_PROTOCOL = "boot-protocol";
    static final String CDROM = "cdrom";
    static final String CLOCK = "clock";
    static final String CPU = "cpu";
    static final String CPUS = "cpus";
    static final String DEBUGCON = "debugcon";
    static final String DISK = "disk";
    static final String ENGINE = "engine";
    static final String EXPECT = "expect";
    static final String FIRMWARE = "firmware";
    static final String FLOPPY = "floppy";
    static final String HELP = "help";
    static final String INITRD = "initrd";
    static final String IRQCHIP = "irqchip";
    static final String KERNEL = "kernel";
    static final String MAX_INSTRUCTIONS = "max-instructions";
    static final String MEMORY = "memory";
    static final String MODULE = "module";
    static final String NO_KERNEL_CACHE = "no-kernel-cache";
    static final String NO_REBOOT = "no-reboot";
    static final String RESTORE = "restore";
    static final String SAVE = "save";
    static final String SCREEN = "screen";
    static final String SERIAL = "serial";
    static final String STATE_HASH = "state-hash";
    static final String STATS = "stats";
    static final String TIMEOUT = "timeout";
    static final String WITHOUT = "without";

    private static final Set<String> REPEATABLE = Set.of(CDROM, DEBUGCON, DISK, FLOPPY, MODULE);

    private static final List<String> WITH_VALUE = List.of(
            APPEND,
            BACKEND,
            BOOT,
            BOOT_PROTOCOL,
            CDROM,
            CLOCK,
            CPU,
            CPUS,
            DEBUGCON,
            DISK,
            ENGINE,
            EXPECT,
            FIRMWARE,
            FLOPPY,
            INITRD,
            IRQCHIP,
            KERNEL,
            MAX_INSTRUCTIONS,
            MEMORY,
            MODULE,
            RESTORE,
            SAVE,
            SCREEN,
            SERIAL,
            STATS,
            TIMEOUT,
            WITHOUT);

    private RunOptions() {}

    static CommandLine parse(List<String> arguments) throws UsageException {
        Options options = new Options();
        for (String name : WITH_VALUE) {
            options.addOption(Option.builder().longOpt(name).hasArg().get());
        }
        options.addOption(Option.builder("h").longOpt(HELP).get());
        options.addOption(Option.builder().longOpt(STATE_HASH).get());
        options.addOption(Option.builder().longOpt(NO_REBOOT).get());
        options.addOption(Option.builder().longOpt(NO_KERNEL_CACHE).get());
        DefaultParser parser = DefaultParser.builder()
                .setAllowPartialMatching(false)
                .setStripLeadingAndTrailingQuotes(false)
                .get();
        CommandLine line;
        try {
            line = parser.parse(options, withStatsValue(arguments));
        } catch (MissingArgumentException e) {
            throw new UsageException("option needs a value: --" + e.getOption().getLongOpt());
        } catch (UnrecognizedOptionException e) {
            throw new UsageException("unknown option: " + e.getOption());
        } catch (ParseException e) {
            throw new UsageException(e.getMessage());
        }
        for (Option option : line.getOptions()) {
            String name = option.getLongOpt();
            if (!REPEATABLE.contains(name) && option.hasArg() && line.getOptionValues(name).length > 1) {
                throw new UsageException("option given more than once: --" + name);
            }
        }
        return line;
    }

    /** Gives a bare --stats a value: what follows it is taken as its value only if it is one. */
    private static String[] withStatsValue(List<String> arguments) {
        List<String> result = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.equals("--stats")) {
                boolean json = i + 1 < arguments.size() && arguments.get(i + 1).equals("json");
                result.add(json ? "--stats=json" : "--stats=text");
                i += json ? 1 : 0;
            } else {
                result.add(argument);
            }
        }
        return result.toArray(new String[0]);
    }
}
