/* Finds the year of stamps that have no year: see calendar.py. */
#ifndef PUPPYLOG_CALENDAR_H
#define PUPPYLOG_CALENDAR_H

enum { HALF_A_YEAR = 6 };

typedef struct {
    int year, month, day, is_fixed;
} Calendar;

static inline int calendar_find_year(const Calendar *calendar, int month, int day) {
    if (calendar->day) {
        return calendar->year - (month > calendar->month || (month == calendar->month && day > calendar->day));
    }
    int ahead = month - calendar->month;
    return calendar->year + (ahead < -HALF_A_YEAR) - (ahead > HALF_A_YEAR);
}

static inline void calendar_remember(Calendar *calendar, int year, int month) {
    if (!calendar->is_fixed) *calendar = (Calendar){year, month, 0, 0};
}

#endif
