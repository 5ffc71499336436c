// SPDX-License-Identifier: GPL-2.0
/*
 * Objects, and buffers for messages.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "kernel.h"
#include "memory.h"

/*
 * Up to here buffers come from kmalloc(), which has a cache for each size: 8 KiB
 * unless pages are large.
 */
#define SLAB_MAX (2 * PAGE_SIZE)
/* Up to here it is worth looking for pages side by side. */
#define PAGES_MAX 65536

#ifdef CCM_KUNIT
static atomic_t fail_after;
static atomic_long_t live;
static atomic_long_t count;

void ccm_memory_fail(int nth)
{
	atomic_set(&fail_after, nth);
}

long ccm_memory_live(void)
{
	return atomic_long_read(&live);
}

long ccm_memory_count(void)
{
	return atomic_long_read(&count);
}

static bool must_fail(void)
{
	return atomic_dec_if_positive(&fail_after) == 0;
}

static void tally(long size, int sign)
{
	atomic_long_add(sign * size, &live);
	atomic_long_add(sign, &count);
}

static void tally_object(const void *object, int sign)
{
	if (object)
		tally(ksize(object), sign);
}
#else
static bool must_fail(void)
{
	return false;
}

static void tally(long size, int sign)
{
}

static void tally_object(const void *object, int sign)
{
}
#endif

static gfp_t flags_for(bool may_sleep)
{
	might_sleep_if(may_sleep);
	return may_sleep ? GFP_NOFS | __GFP_ACCOUNT : GFP_ATOMIC | __GFP_NOWARN;
}

void *ccm_object_alloc(size_t size, bool may_sleep)
{
	gfp_t gfp = flags_for(may_sleep);
	void *object = must_fail() ? NULL : kzalloc(size, gfp);

	tally_object(object, 1);
	return object;
}

void ccm_object_free(void *object)
{
	tally_object(object, -1);
	kfree(object);
}

static void *pages_alloc(size_t size, gfp_t gfp, bool may_sleep)
{
	void *pages = NULL;

	if (size <= PAGES_MAX)
		pages = alloc_pages_exact(size,
					  gfp | __GFP_NOWARN | __GFP_NORETRY);
	if (!pages && may_sleep)
		pages = __vmalloc(size, gfp | __GFP_NOWARN);
	return pages;
}

void *ccm_buffer_alloc(size_t size, bool may_sleep)
{
	gfp_t gfp = flags_for(may_sleep);
	void *buffer;

	if (must_fail())
		return NULL;
	if (size <= SLAB_MAX)
		buffer = kmalloc(size, gfp | __GFP_NOWARN);
	else
		buffer = pages_alloc(size, gfp, may_sleep);
	if (buffer)
		tally(size, 1);
	return buffer;
}

/* vfree() puts it off in soft interrupts, but not under a mere spinlock. */
void ccm_buffer_free(void *buffer, size_t size)
{
	if (!buffer)
		return;
	tally(size, -1);
	if (size <= SLAB_MAX)
		kfree(buffer);
	else if (is_vmalloc_addr(buffer))
		vfree(buffer);
	else
		free_pages_exact(buffer, size);
}
