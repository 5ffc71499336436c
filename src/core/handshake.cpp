// SPDX-License-Identifier: GPL-2.0
// From TCP's connection to a peer that is up. A pending connection is nobody's
// peer, and touches none, until it has proven that it knows the cluster's key.
#include "core/handshake.hpp"

#include "core/connection.hpp"
#include "core/endpoint.hpp"
#include "core/listener.hpp"
#include "core/node.hpp"

namespace ccm {

namespace {

bool same_cluster(const wire::Hello &hello, const ccm_node_config &config)
{
	static_assert(sizeof(hello.cluster) == sizeof(config.cluster));
	return __builtin_memcmp(hello.cluster, config.cluster,
				sizeof(hello.cluster)) == 0;
}

void join(const wire::Header &header, const wire::Hello &hello,
	  wire::HelloFrame &out)
{
	u8 head[wire::kHeaderSize];
	u8 body[wire::kHelloSize];

	wire::encode(header, head);
	wire::encode(hello, body);
	copy(out, head, sizeof(head));
	copy(out + sizeof(head), body, sizeof(body));
}

} // namespace

// --- what is said -----------------------------------------------------------------

void Handshake::compose(const Node &node, u32 to, u16 flags, bool keyed,
			wire::HelloFrame &out)
{
	wire::Hello hello{.incarnation = node.incarnation,
			  .features = keyed ? wire::kKeyed : 0u,
			  .window = kUnattached.window};

	copy(hello.cluster, node.config.cluster, sizeof(hello.cluster));
	ccm_random(hello.nonce, sizeof(hello.nonce));
	join({.kind = wire::Kind::Hello,
	      .flags = flags,
	      .source = static_cast<u16>(node.number()),
	      .destination = static_cast<u16>(to),
	      .length = wire::kHelloSize},
	     hello, out);
}

void Handshake::begin(const Node &node, Role role, u32 to)
{
	secret_ = node.secret();
	role_ = role;
	other = to;
	compose(node, to, 0, secret_->secure,
		role == Role::Initiator ? greetings_.initiator
					: greetings_.responder);
}

void Handshake::hear(const wire::Header &header, const wire::Hello &said)
{
	other = header.source;
	destination = header.destination;
	flags = header.flags;
	hello = said;
	join(header, said,
	     role_ == Role::Initiator ? greetings_.responder
				      : greetings_.initiator);
}

bool Handshake::agrees() const
{
	return secret_->secure == ((hello.features & wire::kKeyed) != 0);
}

Status Handshake::prove()
{
	return secret_->sign(role_, greetings_, proof_);
}

bool Handshake::is_proven_by(const u8 *proof) const
{
	return secret_->is_proof(proof,
				 role_ == Role::Initiator ? Role::Responder
							  : Role::Initiator,
				 greetings_);
}

// --- this end has connected -------------------------------------------------------

bool Connection::finish_connecting()
{
	int status = ccm_socket_status(socket);

	if (status == -EINPROGRESS)
		return false;
	// Closed at once is an end like any other, which reading finds.
	if (status < 0 && status != -EPIPE)
		return break_off(CCM_REASON_FAILED, -status);
	phase = Phase::Hello;
	handshake_.begin(node, Role::Initiator, peer->config.number);
	Guard guard(peer->lock);
	egress.want_locked(Egress::kHello);
	return true;
}

bool Connection::on_hello()
{
	if (!same_cluster(handshake_.hello, node.config))
		return break_off(CCM_REASON_CLUSTER, 0);
	if (!handshake_.agrees())
		return break_off(CCM_REASON_KEYLESS, 0);
	Status proven = handshake_.prove();
	if (!proven.ok())
		return break_off(CCM_REASON_FAILED, proven.error());
	phase = Phase::Proof;
	Guard guard(peer->lock);
	egress.want_locked(Egress::kProof);
	return true;
}

bool Connection::on_proof()
{
	if (!handshake_.is_proven_by(control_))
		return break_off(CCM_REASON_PROOF, 0);
	phase = Phase::Ready;
	Guard guard(peer->lock);
	peer->meet_locked(handshake_.hello.incarnation);
	peer->begin_session_locked(handshake_.hello.window);
	egress.begin_session_locked();
	return true;
}

// --- the other end has ------------------------------------------------------------

// Somebody says to be a node. Its connection stays pending.
bool Connection::on_pending()
{
	PeerRef named = node.peer(handshake_.other);

	if (!same_cluster(handshake_.hello, node.config))
		return break_off(CCM_REASON_CLUSTER, 0);
	if (!named || named->self || handshake_.destination != node.number() ||
	    !same_address(remote, named->config.remote))
		return break_off(CCM_REASON_STRANGER, 0);
	if (handshake_.flags & wire::kPoke)
		return on_poke(*named);
	if (handshake_.other > node.number())
		return break_off(CCM_REASON_UNWANTED, 0);
	return greet_pending();
}

// All that it does is to be told, and that seldom: anybody could send it. One that
// was left out is not told later, when it may no longer be true; the next says how
// many there were. All are counted.
bool Connection::on_poke(Peer &from)
{
	bool known;
	bool heard = false;
	u64 left_out = 0;

	if (from.config.number < node.number())
		return break_off(CCM_REASON_UNWANTED, 0); // it may connect
	{
		Guard guard(from.lock);

		// Else it is told as what is no peer yet, or none any more.
		known = !from.untold && !from.deleted;
		if (known) {
			heard = from.pokes.take(ccm_now_ms());
			left_out = from.pokes_left_out;
			from.pokes_left_out = heard ? 0 : left_out + 1;
			from.untold = heard;
		}
	}
	if (!known)
		return break_off(CCM_REASON_STRANGER, 0);
	node.stats.count(&ccm_node_stats::pokes);
	if (heard) {
		node.tell({.kind = CCM_EVENT_KIND_POKE,
			   .node = from.config.number,
			   .left_out = left_out});
		from.told();
	}
	listener_.remove(*this);
	return false;
}

// By itself and not by the egress, which sends what a peer has: a socket that nothing
// was sent on has room for this.
bool Connection::greet_pending()
{
	handshake_.begin(node, Role::Responder, handshake_.other);
	if (!handshake_.agrees())
		return break_off(CCM_REASON_KEYLESS, 0);

	const wire::HelloFrame &hello = handshake_.mine();
	int sent = ccm_socket_send(socket, hello, sizeof(hello), nullptr, 0,
				   false);
	if (sent != static_cast<int>(sizeof(hello)))
		return break_off(CCM_REASON_FAILED, sent < 0 ? -sent : ENOMEM);
	phase = Phase::Proof;
	return true;
}

bool Connection::on_claim()
{
	if (!handshake_.is_proven_by(control_))
		return break_off(CCM_REASON_PROOF, 0);
	Status proven = handshake_.prove();
	if (!proven.ok())
		return break_off(CCM_REASON_FAILED, proven.error());
	PeerRef named = node.peer(handshake_.other);
	if (!named)
		return break_off(CCM_REASON_STRANGER, 0); // deleted meanwhile
	if (!claim(*named))
		return false;
	listener_.acceptor().admit(*this);
	return true;
}

// The connection is this peer's from now on. One it had before must be stale: the
// peer would not have connected otherwise. But the proof of an attempt that the
// peer has given up may come late, when a newer one has been heard.
bool Connection::claim(Peer &claimed)
{
	ccm_reason reason;

	for (;;) {
		Connection *stale;
		bool contested;
		{
			Guard guard(claimed.lock);

			reason = judge_claim_locked(claimed);
			if (reason != CCM_REASON_NONE)
				break;
			stale = claimed.connection;
			if (!stale) {
				adopt_locked(claimed);
				return true;
			}
			contested = claimed.claims.contested(
				handshake_.hello.incarnation);
		}
		listener_.end(*stale,
			      contested ? CCM_REASON_CLAIMED
					: CCM_REASON_REPLACED,
			      0);
	}
	return break_off(reason, 0);
}

// NONE: it may have the peer.
ccm_reason Connection::judge_claim_locked(const Peer &claimed) const
{
	if (!claimed.listening || claimed.deleted)
		return CCM_REASON_UNWANTED;
	if (order < claimed.newest)
		return CCM_REASON_REPLACED;
	// Another machine has this number too, and is connected.
	if (claimed.connection &&
	    claimed.claims.is_early(handshake_.hello.incarnation, ccm_now_ms()))
		return CCM_REASON_CLAIMED;
	return CCM_REASON_NONE;
}

void Connection::adopt_locked(Peer &claimed)
{
	claimed.get();
	peer = &claimed;
	phase = Phase::Ready;
	claimed.change_locked(CCM_STATE_CONNECTING, CCM_REASON_NONE, 0);
	claimed.meet_locked(handshake_.hello.incarnation);
	claimed.begin_session_locked(handshake_.hello.window);
	claimed.connection = this;
	claimed.newest = order;
	egress.want_locked(Egress::kProof);
	egress.begin_session_locked();
}

// --- both -------------------------------------------------------------------------

bool Connection::on_ready()
{
	{
		Guard guard(peer->lock);

		peer->change_locked(CCM_STATE_UP, CCM_REASON_NONE, 0);
		peer->stats.connects++;
	}
	phase = Phase::Open;
	deadline_ms = 0;
	node.news.state(*peer, {.kind = CCM_EVENT_KIND_STATE,
				.node = peer->config.number,
				.state = CCM_STATE_UP,
				.incarnation = handshake_.hello.incarnation});
	follow_policy();
	return true;
}

} // namespace ccm
