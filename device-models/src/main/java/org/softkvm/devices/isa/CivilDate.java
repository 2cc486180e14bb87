package org.softkvm.devices.isa;

/** The Gregorian calendar, without allocation. Days are numbered from 1970-01-01. */
final class CivilDate {
    /** Days from 0000-03-01, where a cycle of 400 years begins with its leap day at the end, to 1970-01-01. */
    private static final int DAYS_TO_1970 = 719_468;

    private static final int DAYS_OF_400_YEARS = 146_097;

    private CivilDate() {}

    static int year(long day) {
        int ofCycle = dayOfCycle(day);
        int year = (int) Math.floorDiv(day + DAYS_TO_1970, (long) DAYS_OF_400_YEARS) * 400 + yearOfCycle(ofCycle);
        return monthFromMarch(ofCycle) >= 10 ? year + 1 : year;
    }

    /** 1..12. */
    static int month(long day) {
        int month = monthFromMarch(dayOfCycle(day));
        return month < 10 ? month + 3 : month - 9;
    }

    /** 1..31. */
    static int day(long day) {
        int ofCycle = dayOfCycle(day);
        return dayOfYear(ofCycle) - firstOfMonth(monthFromMarch(ofCycle)) + 1;
    }

    /** The number of a day; a day of the month beyond the month's end is one of the next month. */
    static long daysSince1970(int year, int month, int dayOfMonth) {
        int fromMarch = month > 2 ? year : year - 1;
        int cycle = Math.floorDiv(fromMarch, 400);
        int ofCycle = fromMarch - cycle * 400;
        int ofYear = firstOfMonth(month > 2 ? month - 3 : month + 9) + dayOfMonth - 1;
        return (long) cycle * DAYS_OF_400_YEARS + ofCycle * 365L + ofCycle / 4 - ofCycle / 100 + ofYear - DAYS_TO_1970;
    }

    static int daysInMonth(int year, int month) {
        int next = month == 12 ? 1 : month + 1;
        int nextYear = month == 12 ? year + 1 : year;
        return (int) (daysSince1970(nextYear, next, 1) - daysSince1970(year, month, 1));
    }

    private static int dayOfCycle(long day) {
        return (int) Math.floorMod(day + DAYS_TO_1970, (long) DAYS_OF_400_YEARS);
    }

    private static int yearOfCycle(int day) {
        return (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    }

    /** From March 1st on, 0..365. */
    private static int dayOfYear(int day) {
        int year = yearOfCycle(day);
        return day - (365 * year + year / 4 - year / 100);
    }

    /** 0 is March. */
    private static int monthFromMarch(int day) {
        return (5 * dayOfYear(day) + 2) / 153;
    }

    private static int firstOfMonth(int monthFromMarch) {
        return (153 * monthFromMarch + 2) / 5;
    }
}
