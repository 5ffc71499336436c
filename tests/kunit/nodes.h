/* SPDX-License-Identifier: GPL-2.0 */
/* The nodes of a test: each in a network namespace of its own. */
#ifndef CCM_TEST_NODES_H
#define CCM_TEST_NODES_H

#define CCM_TEST_NODES 4

struct module;
struct net;

#ifdef __cplusplus
extern "C" {
#endif

/* 1 to CCM_TEST_NODES. Node N has the addresses 10.77.0.N and fd77::N. */
struct net *ccm_test_net(unsigned int node);

/* The module that these tests are, and how many hold it. */
struct module *ccm_test_module(void);
int ccm_test_module_users(void);

/* In between, sleeping is a bug that the kernel reports. */
void ccm_test_atomic_begin(void);
void ccm_test_atomic_end(void);

/*
 * That the calling thread waits for no I/O when it asks for memory. In between the
 * last two it does not, whatever else.
 */
bool ccm_test_avoids_io(void);
unsigned int ccm_test_avoid_io(void);
void ccm_test_avoid_io_end(unsigned int before);

/* The calling thread, ready to be signalled. */
void *ccm_test_me(void);
void ccm_test_signal(void *thread);

#ifdef __cplusplus
}
#endif

#endif /* CCM_TEST_NODES_H */
