// SPDX-License-Identifier: GPL-2.0
/*
 * SUNRPC within the kernel: calls over TCP with the data in pages, as NFS
 * writes. Nothing is registered with rpcbind. The client's data goes to TCP by
 * reference and the server's stays in the pages it was received into, so SUNRPC
 * is seen at its best.
 *
 * A call is synchronous, unless its procedure has nothing to decode a reply
 * with: that is how SUNRPC is told that none will come, and lockd does so.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/in.h>
#include <linux/mm.h>
#include <linux/sunrpc/clnt.h>
#include <linux/sunrpc/sched.h>
#include <linux/sunrpc/svc.h>
#include <linux/sunrpc/svc_xprt.h>
#include <linux/sunrpc/svcsock.h>
#include <linux/sunrpc/xdr.h>
#include <net/net_namespace.h>

#include "load.h"
#include "compat.h"
#include "transport.h"

#define PROGRAM 0x20000c0c /* of those that users may choose */
#define VERSION 1
#define TAKE 1
#define TAKE_SILENTLY 2
#define PORT 7002
#define DATA_MAX (64u << 10)

static struct net *far;
static struct svc_serv *server;
static struct rpc_clnt *client;

/* --- the server ------------------------------------------------------------ */

struct take_args {
	u32 size;
	struct xdr_buf data;
};

static bool decode_nothing(struct svc_rqst *request, struct xdr_stream *xdr)
{
	return true;
}

static bool decode_take(struct svc_rqst *request, struct xdr_stream *xdr)
{
	struct take_args *args = request->rq_argp;

	return xdr_stream_decode_u32(xdr, &args->size) >= 0 &&
	       xdr_stream_subsegment(xdr, &args->data, args->size);
}

static bool encode_nothing(struct svc_rqst *request, struct xdr_stream *xdr)
{
	return true;
}

static __be32 do_nothing(struct svc_rqst *request)
{
	return rpc_success;
}

static __be32 do_take(struct svc_rqst *request)
{
	static u8 flat[DATA_MAX];
	struct take_args *args = request->rq_argp;

	if (args->size > sizeof(flat))
		return rpc_garbage_args;
	if (bench_checking &&
	    read_bytes_from_xdr_buf(&args->data, 0, flat, args->size))
		return rpc_garbage_args;
	bench_arrived(flat, args->size);
	return request->rq_proc == TAKE_SILENTLY ? rpc_drop_reply : rpc_success;
}

#define TAKES(name) \
	{ \
		.pc_func = do_take, \
		.pc_decode = decode_take, \
		.pc_encode = encode_nothing, \
		.pc_argsize = sizeof(struct take_args), \
		.pc_argzero = sizeof(struct take_args), \
		.pc_xdrressize = 1, \
		.pc_name = name, \
	}

static const struct svc_procedure procedures[] = {
	[0] = {
		.pc_func = do_nothing,
		.pc_decode = decode_nothing,
		.pc_encode = encode_nothing,
		.pc_xdrressize = 1,
		.pc_name = "NULL",
	},
	[TAKE] = TAKES("TAKE"),
	[TAKE_SILENTLY] = TAKES("TAKE_SILENTLY"),
};

static int dispatch(struct svc_rqst *request)
{
	const struct svc_procedure *procedure = request->rq_procinfo;
	__be32 *status = request->rq_accept_statp;

	if (!procedure->pc_decode(request, &request->rq_arg_stream))
		*status = rpc_garbage_args;
	else
		*status = procedure->pc_func(request);
	return *status != rpc_drop_reply;
}

static enum svc_auth_status authenticate(struct svc_rqst *request)
{
	request->rq_auth_stat = rpc_auth_ok;
	return SVC_OK;
}

#if SVC_HAS_COUNTERS
static DEFINE_PER_CPU(unsigned long, calls_served[ARRAY_SIZE(procedures)]);
#endif

static const struct svc_version server_version = {
	.vs_vers = VERSION,
	.vs_nproc = ARRAY_SIZE(procedures),
	.vs_proc = procedures,
#if SVC_HAS_COUNTERS
	.vs_count = calls_served,
#endif
	.vs_xdrsize = 256,
	.vs_hidden = true,
	.vs_dispatch = dispatch,
};

static const struct svc_version *server_versions[] = {
	[VERSION] = &server_version,
};

static struct svc_program server_program = {
	.pg_prog = PROGRAM,
	.pg_nvers = ARRAY_SIZE(server_versions),
	.pg_vers = server_versions,
	.pg_name = "ccm_bench",
	.pg_class = "ccm_bench",
	.pg_authenticate = authenticate,
	.pg_init_request = svc_generic_init_request,
	.pg_rpcbind_set = svc_generic_rpcbind_set,
};

static int serve(void *arg)
{
	struct svc_rqst *request = arg;

	svc_thread_init_status(request, 0);
	while (!svc_thread_should_stop(request))
		svc_recv(request, 0);
	svc_exit_thread(request);
	return 0;
}

static void server_end(void)
{
	svc_set_num_threads(server, 0, 0);
	svc_xprt_destroy_all(server, far, false);
	svc_destroy(&server);
}

static int server_begin(void)
{
	int err;

	server = svc_create(&server_program, DATA_MAX, serve);
	if (!server)
		return -ENOMEM;
	err = svc_bind(server, far);
	if (err) {
		svc_destroy(&server);
		return err;
	}
	err = svc_xprt_create(server, "tcp", far, PF_INET, PORT,
			      SVC_SOCK_ANONYMOUS, current_cred());
	if (err >= 0)
		err = svc_set_num_threads(server, 0, 1);
	if (err < 0)
		server_end();
	return min(err, 0);
}

/* --- the client ------------------------------------------------------------ */

struct outgoing {
	const void *data;
	u32 size;
};

static struct page *pages[DATA_MAX / PAGE_SIZE];

static void encode_take(struct rpc_rqst *request, struct xdr_stream *xdr,
			const void *arg)
{
	const struct outgoing *out = arg;
	u32 i;

	for (i = 0; i < DIV_ROUND_UP(out->size, PAGE_SIZE); i++)
		pages[i] = virt_to_page(out->data + i * PAGE_SIZE);
	xdr_stream_encode_u32(xdr, out->size);
	xdr_write_pages(xdr, pages, 0, out->size);
	xdr->buf->flags |= XDRBUF_WRITE;
}

static int decode_empty(struct rpc_rqst *request, struct xdr_stream *xdr,
			void *result)
{
	return 0;
}

static const struct rpc_procinfo client_procedures[] = {
	[TAKE] = {
		.p_proc = TAKE,
		.p_encode = encode_take,
		.p_decode = decode_empty,
		.p_arglen = 1,
		.p_statidx = TAKE,
		.p_name = "TAKE",
	},
	[TAKE_SILENTLY] = {
		.p_proc = TAKE_SILENTLY,
		.p_encode = encode_take,
		.p_arglen = 1,
		.p_statidx = TAKE_SILENTLY,
		.p_name = "TAKE_SILENTLY",
	},
};

static unsigned int calls_made[ARRAY_SIZE(client_procedures)];

static const struct rpc_version client_version = {
	.number = VERSION,
	.nrprocs = ARRAY_SIZE(client_procedures),
	.procs = client_procedures,
	.counts = calls_made,
};

static const struct rpc_version *client_versions[] = {
	[VERSION] = &client_version,
};

static struct rpc_stat client_stats;

static const struct rpc_program client_program = {
	.name = "ccm_bench",
	.number = PROGRAM,
	.nrvers = ARRAY_SIZE(client_versions),
	.version = client_versions,
	.stats = &client_stats,
};

static int client_begin(struct net *net)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(BENCH_FAR_ADDRESS),
	};
	struct rpc_create_args args = {
		.net = net,
		.protocol = XPRT_TRANSPORT_TCP,
		.address = (struct sockaddr *)&to,
		.addrsize = sizeof(to),
		.servername = "node2",
		.nodename = "node1",
		.program = &client_program,
		.version = VERSION,
		.authflavor = RPC_AUTH_NULL,
		.cred = current_cred(),
	};

	client = rpc_create(&args);
	return PTR_ERR_OR_ZERO(client);
}

static int call(int procedure, const void *data, size_t size)
{
	struct outgoing out = { .data = data, .size = size };
	struct rpc_message msg = {
		.rpc_proc = &client_procedures[procedure],
		.rpc_argp = &out,
	};

	return rpc_call_sync(client, &msg, 0);
}

static int near_call(const void *data, void *echo, size_t size)
{
	return call(TAKE, data, size);
}

static int near_tell(const void *data, void *echo, size_t size)
{
	return call(TAKE_SILENTLY, data, size);
}

static const struct way ways[] = {
	{ ONE_WAY, "rpc_no_reply", near_tell, NULL },
	{ CALL_ANSWER, "rpc_call_sync", near_call, NULL },
	{}
};

static int open(struct net *near_net, struct net *far_net)
{
	int err;

	far = far_net;
	err = server_begin();
	if (err)
		return err;
	err = client_begin(near_net);
	if (err)
		server_end();
	return err;
}

static void close(void)
{
	rpc_shutdown_client(client);
	server_end();
}

const struct transport bench_sunrpc = {
	.name = "sunrpc",
	.open = open,
	.close = close,
	.ways = ways,
};
