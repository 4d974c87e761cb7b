/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvm_hv_ext

#if !defined(KVM_HV_EXT_MEMORY_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KVM_HV_EXT_MEMORY_TRACE_H

#include <linux/kvm_host.h>
#include <linux/tracepoint.h>

/* Memory went from a memslot although somebody needs it to stay. */
TRACE_EVENT(hvx_balloon_violation,
	TP_PROTO(struct kvm *kvm, int slot, u64 gpa, u64 zapped, u64 split),
	TP_ARGS(kvm, slot, gpa, zapped, split),

	TP_STRUCT__entry(
		__field(u64, lpid)
		__field(int, slot)
		__field(u64, gpa)
		__field(u64, zapped)
		__field(u64, split)
	),

	TP_fast_assign(
		__entry->lpid = kvm->arch.lpid;
		__entry->slot = slot;
		__entry->gpa = gpa;
		__entry->zapped = zapped;
		__entry->split = split;
	),

	TP_printk("lpid %llu slot %d gpa %#llx: %llu bytes zapped, %llu split",
		  __entry->lpid, __entry->slot, __entry->gpa, __entry->zapped,
		  __entry->split)
);

#endif /* KVM_HV_EXT_MEMORY_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH memory
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
