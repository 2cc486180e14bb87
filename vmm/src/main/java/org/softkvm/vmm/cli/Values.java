package org.softkvm.vmm.cli;

import java.time.Duration;
import java.util.Locale;

/** Reads the values of options. */
final class Values {
    private Values() {}

    /** An amount of memory in bytes: a number with K, M, G or T; without a letter it counts MiB. */
    static long size(String option, String text) throws UsageException {
        String value = text.toUpperCase(Locale.ROOT);
        int shift = 20;
        if (value.endsWith("B") && value.length() > 1 && !Character.isDigit(value.charAt(value.length() - 2))) {
            value = value.substring(0, value.length() - 1);
        }
        int unit = value.isEmpty() ? -1 : "KMGT".indexOf(value.charAt(value.length() - 1));
        if (unit >= 0) {
            shift = 10 * (unit + 1);
            value = value.substring(0, value.length() - 1);
        }
        long number = digits(value);
        if (number < 0 || number > Long.MAX_VALUE >> shift) {
            throw new UsageException(option + ": not a size: " + text + " (a number with K, M or G, as 256M)");
        }
        return number << shift;
    }

    /** A length of time: a number with ms, s, m or h; without a unit it counts seconds. */
    static Duration duration(String option, String text) throws UsageException {
        String value = text.toLowerCase(Locale.ROOT);
        long seconds = 1;
        boolean millis = value.endsWith("ms");
        if (millis) {
            value = value.substring(0, value.length() - 2);
        } else if (value.endsWith("s") || value.endsWith("m") || value.endsWith("h")) {
            seconds = value.endsWith("s") ? 1 : value.endsWith("m") ? 60 : 3600;
            value = value.substring(0, value.length() - 1);
        }
        if (!value.matches("[0-9]{1,9}(\\.[0-9]{1,9})?")) {
            throw new UsageException(option + ": not a time: " + text + " (seconds, or a number with ms, s, m or h)");
        }
        // Not by BigDecimal, which takes the JVM 30 ms to initialise.
        int point = value.indexOf('.');
        long whole = Long.parseLong(point < 0 ? value : value.substring(0, point));
        long billionths = point < 0 ? 0 : Long.parseLong((value.substring(point + 1) + "00000000").substring(0, 9));
        Duration duration = millis
                ? Duration.ofMillis(whole).plusNanos(billionths / 1000)
                : Duration.ofSeconds(whole * seconds).plusNanos(billionths * seconds);
        if (duration.isZero()) {
            throw new UsageException(option + ": must be more than 0: " + text);
        }
        return duration;
    }

    /** A whole number of at least 1. */
    static long count(String option, String text) throws UsageException {
        long number = digits(text);
        if (number < 0) {
            throw new UsageException(option + ": not a number: " + text);
        }
        if (number == 0) {
            throw new UsageException(option + ": must be at least 1: " + text);
        }
        return number;
    }

    /** An I/O port, in decimal or with 0x in hexadecimal. */
    static int port(String option, String text) throws UsageException {
        String value = text.toLowerCase(Locale.ROOT);
        boolean hex = value.startsWith("0x");
        String body = hex ? value.substring(2) : value;
        if (body.matches(hex ? "[0-9a-f]{1,8}" : "[0-9]{1,9}")) {
            long number = Long.parseLong(body, hex ? 16 : 10);
            if (number <= 0xFFFF) {
                return (int) number;
            }
        }
        throw new UsageException(option + ": not an I/O port: " + text + " (0 to 0xffff)");
    }

    private static long digits(String text) {
        return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : -1;
    }
}
