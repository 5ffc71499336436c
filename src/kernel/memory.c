// SPDX-License-Identifier: GPL-2.0
/*
 * Objects, and buffers for messages.
 *
 * A consumer may be a file system or a block device, and then memory is freed by
 * I/O that goes through CCM. So nothing here waits for I/O, nor asks until there is
 * memory, and nothing is charged to a memory cgroup, which would reclaim on its own.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
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

static gfp_t flags_for(enum ccm_effort effort)
{
	might_sleep_if(effort != CCM_EFFORT_NONE);
	switch (effort) {
	case CCM_EFFORT_BRIEF:
		return GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN;
	case CCM_EFFORT_LONG:
		return GFP_NOIO | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	default:
		return GFP_ATOMIC | __GFP_NOWARN;
	}
}

void *ccm_object_alloc(size_t size, bool may_sleep)
{
	gfp_t gfp = flags_for(may_sleep ? CCM_EFFORT_LONG : CCM_EFFORT_NONE);
	void *object = must_fail() ? NULL : kzalloc(size, gfp);

	tally_object(object, 1);
	return object;
}

void ccm_object_free(void *object)
{
	tally_object(object, -1);
	kfree(object);
}

static void put_pages(struct page **pages, unsigned int count)
{
	while (count)
		__free_page(pages[--count]);
}

static bool get_pages(struct page **pages, unsigned int count, gfp_t gfp)
{
	unsigned int got;

	for (got = 0; got < count; got++) {
		cond_resched();
		pages[got] = alloc_page(gfp);
		if (!pages[got])
			break;
	}
	if (got == count)
		return true;
	put_pages(pages, got);
	return false;
}

/*
 * Pages from anywhere, side by side in the kernel's addresses. __vmalloc() would do,
 * but for the page tables it asks again and again, whatever it is told. Those few
 * pages may come from the reserves instead, so that nothing is reclaimed for them.
 */
static void *map_pages(size_t size, gfp_t gfp)
{
	unsigned int count = PFN_UP(size);
	size_t list_size = count * sizeof(struct page *);
	unsigned int scope;
	struct page **pages;
	void *range;

	pages = list_size <= SLAB_MAX ? kmalloc(list_size, gfp) :
					map_pages(list_size, gfp);
	if (!pages)
		return NULL;
	if (!get_pages(pages, count, gfp)) {
		kvfree(pages);
		return NULL;
	}
	scope = memalloc_noreclaim_save();
	range = vmap(pages, count, VM_MAP | VM_MAP_PUT_PAGES, PAGE_KERNEL);
	memalloc_noreclaim_restore(scope);
	if (!range) {
		put_pages(pages, count);
		kvfree(pages);
	}
	return range;
}

static void *pages_alloc(size_t size, enum ccm_effort effort)
{
	gfp_t gfp = flags_for(effort);
	void *pages = NULL;

	if (size <= PAGES_MAX)
		pages = alloc_pages_exact(size, (gfp & ~__GFP_RETRY_MAYFAIL) |
							__GFP_NORETRY);
	if (!pages && effort != CCM_EFFORT_NONE)
		pages = map_pages(size, gfp);
	return pages;
}

void *ccm_buffer_alloc(size_t size, enum ccm_effort effort)
{
	void *buffer;

	if (must_fail())
		return NULL;
	if (size <= SLAB_MAX)
		buffer = kmalloc(size, flags_for(effort));
	else
		buffer = pages_alloc(size, effort);
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
