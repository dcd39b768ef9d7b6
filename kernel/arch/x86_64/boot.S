// SPDX-License-Identifier: BSD-2-Clause
// From the boot loader to C++: multiboot 1 (QEMU -kernel, GRUB) and multiboot 2 (GRUB, which alone
// hands over the ACPI root pointer on UEFI machines) enter in 32-bit protected mode without paging.

#define KERNEL_OFFSET 0xffffffff80000000

#define PRESENT_WRITE 0x3
#define LARGE_PAGE    0x83

#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

  .section .boot.header, "a"
  .balign 8
// Address fields are given (bit 16) since QEMU refuses to load a 64-bit ELF file by its headers.
#define MB1_MAGIC 0x1badb002
#define MB1_FLAGS 0x00010003
multiboot1_header:
  .long MB1_MAGIC
  .long MB1_FLAGS
  .long -(MB1_MAGIC + MB1_FLAGS)
  .long multiboot1_header
  .long kernel_load_begin
  .long kernel_load_end
  .long kernel_load_bss_end
  .long boot_entry32

  .balign 8
#define MB2_MAGIC 0xe85250d6
multiboot2_header:
  .long MB2_MAGIC
  .long 0                                     // i386, protected mode
  .long multiboot2_header_end - multiboot2_header
  .long -(MB2_MAGIC + (multiboot2_header_end - multiboot2_header))
  .short 2, 0                                 // where to load
  .long 24
  .long multiboot2_header
  .long kernel_load_begin
  .long kernel_load_end
  .long kernel_load_bss_end
  .short 3, 0                                 // where to start
  .long 12
  .long boot_entry32
  .long 0                                     // padding of the tag to 8
  .short 6, 0                                 // modules start on a page
  .long 8
  .short 0, 0                                 // end
  .long 8
multiboot2_header_end:

  .section .boot, "ax"
  .code32
  .globl boot_entry32
boot_entry32:
  cli
  cld
  movl %eax, %ebp                             // magic of the protocol
  movl %ebx, %esi                             // its information structure
  rdtsc                                       // for the length of the boot
  movl %eax, boot_begin_ticks - KERNEL_OFFSET
  movl %edx, boot_begin_ticks - KERNEL_OFFSET + 4

  // Long mode has to be there before anything relies on it.
  movl $0x80000000, %eax
  cpuid
  cmpl $0x80000001, %eax
  jb no_long_mode
  movl $0x80000001, %eax
  cpuid
  btl $29, %edx
  jnc no_long_mode

  // Four directories of 2 MiB pages map the first 4 GiB. The same four serve three places: the
  // identity (this code), the physical window, and the image at -2 GiB.
  movl $(boot_directories - KERNEL_OFFSET), %edi
  movl $LARGE_PAGE, %eax
  movl $2048, %ecx
1:
  movl %eax, (%edi)
  addl $0x200000, %eax
  addl $8, %edi
  decl %ecx
  jnz 1b

  movl $(boot_directories - KERNEL_OFFSET + PRESENT_WRITE), %eax
  movl $(boot_pdpt - KERNEL_OFFSET), %edi
  movl $4, %ecx
2:
  movl %eax, (%edi)
  addl $4096, %eax
  addl $8, %edi
  decl %ecx
  jnz 2b
  movl $(boot_directories - KERNEL_OFFSET + PRESENT_WRITE), (boot_pdpt_image - KERNEL_OFFSET + 510 * 8)

  movl $(boot_pml4 - KERNEL_OFFSET), %edi
  movl $(boot_pdpt - KERNEL_OFFSET + PRESENT_WRITE), (%edi)
  movl $(boot_pdpt - KERNEL_OFFSET + PRESENT_WRITE), 510 * 8(%edi)
  movl $(boot_pdpt_image - KERNEL_OFFSET + PRESENT_WRITE), 511 * 8(%edi)

enter_long_mode:
  movl $0x20, %eax                            // CR4.PAE
  movl %eax, %cr4
  movl $(boot_pml4 - KERNEL_OFFSET), %eax
  movl %eax, %cr3
  movl $MSR_EFER, %ecx
  rdmsr
  orl $EFER_LME, %eax
  wrmsr
  movl $0x80010001, %eax                      // CR0: PG, WP, PE
  movl %eax, %cr0
  lgdt boot_gdt_pointer
  ljmp $8, $boot_entry64

// Every further core starts here, in real mode, from a copy in a page below 1 MiB whose number is in
// CS. The boot tables still stand; they map this code at its own address.
  .code16
  .globl core_start_begin, core_start_end
core_start_begin:
  cli
  cld
  movw %cs, %ax
  movw %ax, %ds
  lgdtl core_start_gdt - core_start_begin
  movl $1, %eax                               // CR0.PE
  movl %eax, %cr0
  ljmpl $0x18, $core_entry32
  .balign 4
core_start_gdt:
  .short boot_gdt_pointer - boot_gdt - 1
  .long boot_gdt
core_start_end:

  .code32
core_entry32:
  movw $0x10, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  xorl %ebp, %ebp                             // no loader's magic: not the first core
  jmp enter_long_mode

no_long_mode:
  // Nothing is set up yet, so the message goes to the first serial port byte by byte.
  movl $no_long_mode_text, %esi
3:
  movw $0x3fd, %dx
4:
  inb %dx, %al
  testb $0x20, %al
  jz 4b
  lodsb
  testb %al, %al
  jz 5f
  movw $0x3f8, %dx
  outb %al, %dx
  jmp 3b
5:
  hlt
  jmp 5b

no_long_mode_text:
  .asciz "[kernel] PANIC: this processor has no 64-bit mode\r\n"

  .balign 8
boot_gdt:
  .quad 0
  .quad 0x00af9b000000ffff                    // 64-bit code
  .quad 0x00cf93000000ffff                    // data
  .quad 0x00cf9b000000ffff                    // 32-bit code
boot_gdt_pointer:
  .short . - boot_gdt - 1
  .long boot_gdt

  .code64
boot_entry64:
  movw $0x10, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  xorl %eax, %eax
  movw %ax, %fs
  movw %ax, %gs
  movabsq $boot_entry_high, %rax
  jmp *%rax

  .text
boot_entry_high:
  testl %ebp, %ebp
  jz core_entry_high
  leaq kernel_stack_top(%rip), %rsp
  movl %ebp, %edi
  movl %esi, %esi
  xorl %ebp, %ebp                             // ends the chain of frames for backtraces
  call kernel_boot
  ud2

// The first core has left tables, features and state for this one (start_cores.cpp).
core_entry_high:
  movl $MSR_EFER, %ecx
  movl starting_efer(%rip), %eax
  movl starting_efer + 4(%rip), %edx
  wrmsr
  movq starting_root(%rip), %rax
  movq %rax, %cr3
  movq starting_core(%rip), %rdi
  movq 16(%rdi), %rsp                         // ArchCore::kernel_stack_top
  xorl %ebp, %ebp
  call kernel_boot_core
  ud2

// The physical address at which boot tables and boot code lie stays mapped only until the kernel
// switches to its own tables; further cores use these tables once more when they start.
  .section .bss.pages, "aw", @nobits
  .balign 4096
boot_pml4:        .skip 4096
boot_pdpt:        .skip 4096
boot_pdpt_image:  .skip 4096
boot_directories: .skip 4 * 4096

// The page below each stack is left unmapped, so that an overflow faults.
  .globl kernel_stack_guard, kernel_stack_top
kernel_stack_guard: .skip 4096
  .skip 4 * 4096
kernel_stack_top:
  .globl fault_stack_guard, fault_stack_top
fault_stack_guard: .skip 4096
  .skip 2 * 4096
fault_stack_top:

  .section .bss, "aw", @nobits
  .balign 8
  .globl boot_begin_ticks
boot_begin_ticks: .skip 8
