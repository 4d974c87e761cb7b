/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvm_hv_ext

#if !defined(KVM_HV_EXT_RESIZE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KVM_HV_EXT_RESIZE_TRACE_H

#include <linux/tracepoint.h>

#include "resize/resize.h"

#define hvx_show_cancel(why) __print_symbolic(why,	\
	{ HVX_CANCEL_GUEST,	"guest" },		\
	{ HVX_CANCEL_RESET,	"reset" },		\
	{ HVX_CANCEL_HTAB_FD,	"htab-fd" },		\
	{ HVX_CANCEL_MIGRATION,	"migration" },		\
	{ HVX_CANCEL_MEMSLOT,	"memslot" },		\
	{ HVX_CANCEL_RADIX,	"radix" },		\
	{ HVX_CANCEL_TIMEOUT,	"timeout" },		\
	{ HVX_CANCEL_COMMIT,	"commit" },		\
	{ HVX_CANCEL_DESTROY,	"destroy" })

TRACE_EVENT(hvx_prepare,
	TP_PROTO(struct kvm *kvm, unsigned int from, unsigned int to,
		 enum hvx_origin origin),
	TP_ARGS(kvm, from, to, origin),

	TP_STRUCT__entry(
		__field(u64, lpid)
		__field(unsigned int, from)
		__field(unsigned int, to)
		__field(unsigned int, origin)
	),

	TP_fast_assign(
		__entry->lpid = kvm->arch.lpid;
		__entry->from = from;
		__entry->to = to;
		__entry->origin = origin;
	),

	TP_printk("lpid %llu order %u -> %u by %s", __entry->lpid,
		  __entry->from, __entry->to,
		  __print_symbolic(__entry->origin,
				   { HVX_ORIGIN_IOCTL, "ioctl" },
				   { HVX_ORIGIN_HCALL, "hcall" }))
);

TRACE_EVENT(hvx_progress,
	TP_PROTO(struct kvm *kvm, unsigned int order, u64 done, u64 total),
	TP_ARGS(kvm, order, done, total),

	TP_STRUCT__entry(
		__field(u64, lpid)
		__field(unsigned int, order)
		__field(u64, done)
		__field(u64, total)
	),

	TP_fast_assign(
		__entry->lpid = kvm->arch.lpid;
		__entry->order = order;
		__entry->done = done;
		__entry->total = total;
	),

	TP_printk("lpid %llu order %u, %llu of %llu bytes", __entry->lpid,
		  __entry->order, __entry->done, __entry->total)
);

DECLARE_EVENT_CLASS(hvx_outcome,
	TP_PROTO(struct kvm *kvm, unsigned int order, int ret, u64 ns),
	TP_ARGS(kvm, order, ret, ns),

	TP_STRUCT__entry(
		__field(u64, lpid)
		__field(unsigned int, order)
		__field(int, ret)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->lpid = kvm->arch.lpid;
		__entry->order = order;
		__entry->ret = ret;
		__entry->ns = ns;
	),

	TP_printk("lpid %llu order %u: %d after %llu ns", __entry->lpid,
		  __entry->order, __entry->ret, __entry->ns)
);

/* PREPARE has ended, well or not. */
DEFINE_EVENT(hvx_outcome, hvx_prepared,
	TP_PROTO(struct kvm *kvm, unsigned int order, int ret, u64 ns),
	TP_ARGS(kvm, order, ret, ns)
);

/* COMMIT has ended; the time is that for which vCPUs were stopped. */
DEFINE_EVENT(hvx_outcome, hvx_commit,
	TP_PROTO(struct kvm *kvm, unsigned int order, int ret, u64 ns),
	TP_ARGS(kvm, order, ret, ns)
);

TRACE_EVENT(hvx_cancel,
	TP_PROTO(struct kvm *kvm, unsigned int order, enum hvx_cancel why),
	TP_ARGS(kvm, order, why),

	TP_STRUCT__entry(
		__field(u64, lpid)
		__field(unsigned int, order)
		__field(unsigned int, why)
	),

	TP_fast_assign(
		__entry->lpid = kvm->arch.lpid;
		__entry->order = order;
		__entry->why = why;
	),

	TP_printk("lpid %llu order %u by %s", __entry->lpid, __entry->order,
		  hvx_show_cancel(__entry->why))
);

TRACE_EVENT(hvx_harvest,
	TP_PROTO(struct kvm *kvm, unsigned int order, u64 found),
	TP_ARGS(kvm, order, found),

	TP_STRUCT__entry(
		__field(u64, lpid)
		__field(unsigned int, order)
		__field(u64, found)
	),

	TP_fast_assign(
		__entry->lpid = kvm->arch.lpid;
		__entry->order = order;
		__entry->found = found;
	),

	TP_printk("lpid %llu order %u: R or C of %llu entries", __entry->lpid,
		  __entry->order, __entry->found)
);

#endif /* KVM_HV_EXT_RESIZE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH resize
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
