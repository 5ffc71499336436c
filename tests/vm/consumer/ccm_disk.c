// SPDX-License-Identifier: GPL-2.0
/*
 * ccm_disk - a block device whose blocks lie in another node's memory, for the
 * test of memory that can only be had by I/O over CCM.
 *
 *	# insmod ccm_disk.ko server=2 mib=64
 *
 * Every node lends the same memory. /dev/ccm_disk is a disk of the node in whose
 * namespace it was loaded, and its blocks are what node 2 lends. A request is a
 * call, and ends when it is answered.
 */
#include <linux/blk-mq.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <net/net_namespace.h>

#include <ccm/ccm.h>

#define DISK_MODULE 16
#define DISK_DEPTH 16 /* requests under way; all else waits for one of these */
#define DISK_BYTES (32 * 1024) /* of a request, at most */

enum disk_function { DISK_READ = 1, DISK_WRITE };

static uint server = 2;
module_param(server, uint, 0444);
MODULE_PARM_DESC(server, "the node that lends its memory");

static uint mib = 16;
module_param(mib, uint, 0444);
MODULE_PARM_DESC(mib, "how large it is, in MiB");

/* --- who lends ------------------------------------------------------------- */

static u8 *memory;

static u8 *memory_at(u64 offset, u64 size)
{
	u64 all = (u64)mib << 20;

	return offset <= all && size <= all - offset ? memory + offset : NULL;
}

static int handle_read(struct ccm_args *args, u32 seqn)
{
	const u8 *from;
	u64 offset;
	u32 size;

	if (CCM_get_u64(args, &offset) || CCM_get_u32(args, &size))
		return -EPROTO;
	from = memory_at(offset, size);
	return from ? CCM_answer(args, CCM_BYTES(from, size)) : -ENOSPC;
}

static int handle_write(struct ccm_args *args, u32 seqn)
{
	const void *data;
	size_t size;
	u64 offset;
	u8 *to;

	if (CCM_get_u64(args, &offset) || CCM_get_bytes(args, &data, &size))
		return -EPROTO;
	to = memory_at(offset, size);
	if (!to)
		return -ENOSPC;
	memcpy(to, data, size);
	return 0;
}

static int __net_init disk_net_init(struct net *net)
{
	int err = CCM_attach(net, DISK_MODULE, NULL);

	if (err)
		return err;
	err = CCM_regist(net, DISK_MODULE, DISK_READ, CCM_SHORT, handle_read, NULL) ?:
	      CCM_regist(net, DISK_MODULE, DISK_WRITE, CCM_SHORT, handle_write, NULL);
	if (err)
		CCM_detach(net, DISK_MODULE); /* unregisters too */
	return err;
}

static void __net_exit disk_net_exit(struct net *net)
{
	CCM_detach(net, DISK_MODULE);
}

static struct pernet_operations disk_net_ops = {
	.init = disk_net_init,
	.exit = disk_net_exit,
};

/* --- who borrows ------------------------------------------------------------ */

static struct blk_mq_tag_set tags;
static struct gendisk *disk;
static struct net *borrower;

struct request_data {
	u8 bytes[DISK_BYTES];
};

enum direction { FROM_REQUEST, TO_REQUEST };

static void copy_request(struct request *rq, u8 *bytes, enum direction direction)
{
	struct req_iterator iterator;
	struct bio_vec segment;

	rq_for_each_segment(segment, rq, iterator) {
		if (direction == FROM_REQUEST)
			memcpy_from_bvec(bytes, &segment);
		else
			memcpy_to_bvec(&segment, bytes);
		bytes += segment.bv_len;
	}
}

/* In the listener. */
static void answered(void *context, int error, struct ccm_answer *answer)
{
	struct request *rq = context;
	const void *data;
	size_t size;

	if (!error)
		error = answer->result;
	if (!error && req_op(rq) == REQ_OP_READ) {
		error = CCM_get_bytes(&answer->args, &data, &size);
		if (!error && size != blk_rq_bytes(rq))
			error = -EIO;
		if (!error)
			copy_request(rq, (u8 *)data, TO_REQUEST);
	}
	if (error)
		pr_err("ccm_disk: %s fails: %d\n",
		       req_op(rq) == REQ_OP_READ ? "reading" : "writing", error);
	blk_mq_end_request(rq, errno_to_blk_status(error));
}

static int begin_call(struct request *rq)
{
	struct request_data *data = blk_mq_rq_to_pdu(rq);
	u64 offset = blk_rq_pos(rq) << SECTOR_SHIFT;
	struct ccm_call call = {
		.node = server,
		.module = DISK_MODULE,
		.timeout_ms = CCM_FOREVER,
	};

	switch (req_op(rq)) {
	case REQ_OP_READ:
		call.function = DISK_READ;
		return CCM_rcall_async(borrower, &call, answered, rq, CCM_U64(offset),
				       CCM_U32(blk_rq_bytes(rq)));
	case REQ_OP_WRITE:
		call.function = DISK_WRITE;
		copy_request(rq, data->bytes, FROM_REQUEST);
		return CCM_rcall_async(borrower, &call, answered, rq, CCM_U64(offset),
				       CCM_BYTES(data->bytes, blk_rq_bytes(rq)));
	default:
		return -EOPNOTSUPP;
	}
}

static blk_status_t queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *queued)
{
	int err;

	blk_mq_start_request(queued->rq);
	err = begin_call(queued->rq);
	/* Without memory it is asked for again. */
	return err == -ENOMEM ? BLK_STS_RESOURCE : errno_to_blk_status(err);
}

static const struct blk_mq_ops queue_ops = { .queue_rq = queue_rq };
static const struct block_device_operations disk_ops = { .owner = THIS_MODULE };

static struct gendisk *alloc_disk(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	struct queue_limits limits = {
		.logical_block_size = PAGE_SIZE,
		.max_hw_sectors = DISK_BYTES >> SECTOR_SHIFT,
	};

	return blk_mq_alloc_disk(&tags, &limits, NULL);
#else
	struct gendisk *made = blk_mq_alloc_disk(&tags, NULL);

	if (!IS_ERR(made)) {
		blk_queue_logical_block_size(made->queue, PAGE_SIZE);
		blk_queue_max_hw_sectors(made->queue, DISK_BYTES >> SECTOR_SHIFT);
	}
	return made;
#endif
}

static int begin_borrowing(void)
{
	int err;

	borrower = get_net(current->nsproxy->net_ns);
	tags.ops = &queue_ops;
	tags.nr_hw_queues = 1;
	tags.queue_depth = DISK_DEPTH;
	tags.numa_node = NUMA_NO_NODE;
	tags.cmd_size = sizeof(struct request_data);
	tags.flags = BLK_MQ_F_BLOCKING;
	err = blk_mq_alloc_tag_set(&tags);
	if (err)
		goto put_borrower;
	disk = alloc_disk();
	if (IS_ERR(disk)) {
		err = PTR_ERR(disk);
		goto free_tags;
	}
	disk->flags |= GENHD_FL_NO_PART;
	disk->fops = &disk_ops;
	strscpy(disk->disk_name, "ccm_disk", sizeof(disk->disk_name));
	set_capacity(disk, (sector_t)mib << (20 - SECTOR_SHIFT));
	err = add_disk(disk);
	if (!err)
		return 0;
	put_disk(disk);
free_tags:
	blk_mq_free_tag_set(&tags);
put_borrower:
	put_net(borrower);
	return err;
}

static void end_borrowing(void)
{
	del_gendisk(disk);
	put_disk(disk);
	blk_mq_free_tag_set(&tags);
	put_net(borrower);
}

static int __init disk_init(void)
{
	int err;

	memory = vzalloc((size_t)mib << 20);
	if (!memory)
		return -ENOMEM;
	err = register_pernet_device(&disk_net_ops);
	if (err)
		goto free_memory;
	err = begin_borrowing();
	if (!err)
		return 0;
	unregister_pernet_device(&disk_net_ops);
free_memory:
	vfree(memory);
	return err;
}

static void __exit disk_exit(void)
{
	end_borrowing();
	unregister_pernet_device(&disk_net_ops);
	vfree(memory);
}

module_init(disk_init);
module_exit(disk_exit);
MODULE_DESCRIPTION("CCM's test of memory: a block device over CCM");
MODULE_LICENSE("GPL");
