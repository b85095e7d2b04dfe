/* The abbreviations of time zones: see zones.py. */
#ifndef PUPPYLOG_ZONES_H
#define PUPPYLOG_ZONES_H

/* clang-format would write each name of a zone on a line of its own. */
/* clang-format off */

/* Names with one meaning, and their offsets in minutes east of UTC. */
#define ZONES(X)                                                                                   \
    X(UTC, 0) X(GMT, 0) X(UT, 0) X(Z, 0) X(CET, 60) X(CEST, 120) X(MEZ, 60) X(MESZ, 120) X(WET, 0) \
    X(WEST, 60) X(EET, 120) X(EEST, 180) X(MSK, 180) X(MSD, 240) X(TRT, 180) X(EST, -300)          \
    X(EDT, -240) X(CDT, -300) X(MST, -420) X(MDT, -360) X(PST, -480) X(PDT, -420) X(AKST, -540)    \
    X(AKDT, -480) X(HST, -600) X(NST, -210) X(NDT, -150) X(BRT, -180) X(ART, -180) X(WAT, 60)      \
    X(CAT, 120) X(EAT, 180) X(SAST, 120) X(IDT, 180) X(PKT, 300) X(NPT, 345) X(ICT, 420)           \
    X(WIB, 420) X(WITA, 480) X(WIT, 540) X(HKT, 480) X(SGT, 480) X(PHT, 480) X(JST, 540)           \
    X(KST, 540) X(AWST, 480) X(ACST, 570) X(ACDT, 630) X(AEST, 600) X(AEDT, 660) X(NZST, 720)      \
    X(NZDT, 780)

/* Names with several meanings, such as British and Bangladesh time. */
#define AMBIGUOUS_ZONES(X) X(CST) X(IST) X(BST) X(AST) X(ADT) X(SST) X(GST) X(WST) X(ECT) X(AMT) X(CLT) X(COT)

/* The areas before the slash of a name such as Europe/Berlin. */
#define ZONE_AREAS(X) \
    X(Africa) X(America) X(Antarctica) X(Arctic) X(Asia) X(Atlantic) X(Australia) X(Europe) X(Indian) X(Pacific) X(Etc)

#endif
