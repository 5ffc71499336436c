/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CCM_MEMORY_H
#define CCM_MEMORY_H

#ifdef __cplusplus
extern "C" {
#endif

#ifdef CCM_KUNIT
/* The nth allocation from now fails, and only that one; 0: none does. */
void ccm_memory_fail(int nth);

/* What is allocated now. */
long ccm_memory_live(void); /* bytes */
long ccm_memory_count(void); /* objects and buffers */
#endif

#ifdef __cplusplus
}
#endif

#endif /* CCM_MEMORY_H */
