// SPDX-License-Identifier: GPL-2.0
// What administrators ask: checks the arguments, then does it.
#include "core/caller.hpp"
#include "core/node.hpp"
#include "core/numbers.hpp"

using namespace ccm;

namespace {

bool is_endpoint(const ccm_endpoint &endpoint)
{
	return endpoint.port != 0 &&
	       (endpoint.family == 4 || endpoint.family == 6);
}

// For administrators: an errno, and a sentence.
int answer(Status status, const Refusal &refusal, const char **why)
{
	if (!status.ok() && refusal.why && why)
		*why = refusal.why;
	return status.code();
}

int invalid(const char **why, const char *sentence)
{
	if (why)
		*why = sentence;
	return -EINVAL;
}

constexpr const char *kBadNode = "node numbers are from 1 to 1023";
constexpr const char *kBadEndpoint = "an address and a port are needed";

} // namespace

int ccm_core_node_set(ccm_node *node, const ccm_node_config *config,
		      const char **why)
{
	Refusal refusal;

	if (!is_node(config->number))
		return invalid(why, kBadNode);
	if (!is_endpoint(config->local))
		return invalid(why, kBadEndpoint);
	return answer(node->configure(*config, refusal), refusal, why);
}

int ccm_core_node_delete(ccm_node *node, const char **why)
{
	Refusal refusal;

	return answer(node->unconfigure(refusal), refusal, why);
}

void ccm_core_node_info(ccm_node *node, ccm_node_info *out)
{
	node->report(*out);
}

int ccm_core_key_set(ccm_node *node, const void *secret, size_t size,
		     const char **why)
{
	Refusal refusal;

	if (secret && size < CCM_SECRET_MIN)
		return invalid(why, "a key has 16 bytes at least");
	return answer(node->set_key(secret, size, refusal), refusal, why);
}

// What is 0 is not given. A sentence for people, or nullptr.
static const char *whats_wrong(const ccm_peer_policy &policy)
{
	if (policy.timeout_ms && (policy.timeout_ms < CCM_TIMEOUT_MIN ||
				  policy.timeout_ms > CCM_TIMEOUT_MAX))
		return "the time-out is from one second to an hour";
	if (policy.interval_ms && (policy.interval_ms < CCM_INTERVAL_MIN ||
				   policy.interval_ms > CCM_TIMEOUT_MAX))
		return "the interval of heartbeats is 0 for none, or from 100 "
		       "milliseconds to an hour";
	if (policy.limit &&
	    (policy.limit < CCM_LIMIT_MIN || policy.limit > CCM_LIMIT_MAX))
		return "the limit of silence is from 2 to 100 intervals";
	return nullptr;
}

int ccm_core_peer_set(ccm_node *node, u32 number, const ccm_peer_policy *policy,
		      bool set_interval, const char **why)
{
	Refusal refusal;

	if (const char *wrong = whats_wrong(*policy))
		return invalid(why, wrong);
	return answer(node->set_policy(number, *policy, set_interval, refusal),
		      refusal, why);
}

int ccm_core_peer_add(ccm_node *node, const ccm_peer_config *config,
		      const char **why)
{
	ccm_peer_config wanted = *config;
	Refusal refusal;

	if (!is_node(wanted.number))
		return invalid(why, kBadNode);
	if (!is_endpoint(wanted.remote))
		return invalid(why, kBadEndpoint);
	if (const char *wrong = whats_wrong(wanted.policy))
		return invalid(why, wrong);
	if (wanted.policy.timeout_ms == 0)
		wanted.policy.timeout_ms = CCM_TIMEOUT_DEFAULT;
	if (wanted.policy.limit == 0)
		wanted.policy.limit = CCM_LIMIT_DEFAULT;
	return answer(node->add_peer(wanted, refusal), refusal, why);
}

int ccm_core_peer_delete(ccm_node *node, u32 number, const char **why)
{
	Refusal refusal;

	return answer(node->delete_peer(number, refusal), refusal, why);
}

int ccm_core_peer_info(ccm_node *node, u32 from, ccm_peer_info *out)
{
	PeerRef peer = node->peer_from(from);

	if (!peer)
		return -ENOENT;
	peer->report(*out);
	return 0;
}

int ccm_core_ping(ccm_node *node, u32 number, const char **why)
{
	Refusal refusal;

	return answer(node->ping(number, refusal), refusal, why);
}

int ccm_core_poke(ccm_node *node, u32 number, const char **why)
{
	Refusal refusal;

	return answer(node->poke(number, refusal), refusal, why);
}

int ccm_core_connect(ccm_node *node, u32 number, int timeout_ms,
		     const char **why)
{
	Refusal refusal;

	if (!may_wait().ok())
		return -EDEADLK;
	return answer(node->connect(number, timeout_ms, refusal), refusal, why);
}

int ccm_core_listen(ccm_node *node, u32 number, int timeout_ms,
		    const char **why)
{
	Refusal refusal;

	if (!may_wait().ok())
		return -EDEADLK;
	return answer(node->listen(number, timeout_ms, refusal), refusal, why);
}

int ccm_core_close(ccm_node *node, u32 number, int timeout_ms, const char **why)
{
	Refusal refusal;

	if (!may_wait().ok())
		return -EDEADLK;
	return answer(node->close(number, timeout_ms, refusal), refusal, why);
}
