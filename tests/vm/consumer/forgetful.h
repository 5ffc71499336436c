/* SPDX-License-Identifier: GPL-2.0 */
/* What ccm_forgetful offers, and ccm_table calls. */
#ifndef FORGETFUL_H
#define FORGETFUL_H

#define FORGETFUL_MODULE 15
#define FORGETFUL_FUNCTION 1
#define FORGETFUL_WAITS 2 /* does not end by itself */
#define FORGETFUL_RESULT 1234

#endif /* FORGETFUL_H */
