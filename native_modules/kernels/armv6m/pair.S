#if defined(__ARM_ARCH_6M__)
@ tk_pair_2_2 … tk_pair_4_4 of ../packed.h: two output channels over a run of positions, dot product, rescaling, clamp,
@ store. The plain twin is run_pair in ../packed.c.
@
@ What it saves: four taps of both channels take 21 cycles (8 products: 2.6 each), or 19 where the products of four taps
@ are added before the shift; gcc has 5 for each product, since it knows no ADCS of a shifted-out bit. The two products a
@ multiply, and why the carry is exact: ../packed.h. Rescaling takes 19 cycles, one time in 40 about 45 more.
@
@ Registers
@   r0  inputs                      r6, r7  the two sums
@   r1  weights, then parameters    r2 - r5 words of inputs and weights
@   r8  end of a loop over inputs; in rescaling, the sum as it was
@   r9  bytes of a position's inputs that the unrolled loop takes    lr  those that are left over
@   r10 output    r11 the clamp's low end    r12 struct tk_pair

.syntax unified
.cpu cortex-m0plus
.thumb
#include "rescale.inc"

.macro GROUP_2 sum
    ldm r1!, {r4, r5}
    muls r4, r2
    asrs r4, r4, #16
    adcs \sum, r4
    muls r5, r3
    asrs r5, r5, #16
    adcs \sum, r5
.endm

.macro GROUP_4 sum
    ldm r1!, {r4, r5}
    muls r4, r2
    muls r5, r3
    adds r4, r4, r5
    asrs r4, r4, #16
    adcs \sum, r4
.endm

.macro STEP first, second
    ldm r0!, {r2, r3}
    GROUP_\first r6
    GROUP_\second r7
.endm

@ r1 points to a struct tk_rescaling and is moved behind it. Leaves to 6\label, 7\label, 8\label for what is below or
@ above the clamp or not decided.
.macro RESCALE sum, label
    ldm r1!, {r2, r3, r4}
    mov r8, \sum
    asrs \sum, r2
    muls \sum, r3
    adds \sum, \sum, r4
    bmi 6\label\()f
    ldm r1!, {r2, r3, r4}
    cmp \sum, r2
    bhs 7\label\()f
    rors \sum, r3
    cmp \sum, r4
    blo 8\label\()f
    add \sum, r11
5\label:
.endm

.macro UNDECIDED sum, label, exact, next
6\label:
    mov \sum, r11
    adds r1, #12
    b 5\label\()b
7\label:
    mov r2, r12
    adds r2, #116
    ldr \sum, [r2]
    b 5\label\()b
8\label:
    mov r1, r12
    adds r1, #\exact
    mov \sum, r8
    EXACT \sum
    mov r1, r12
    adds r1, #116
    ldm r1!, {r2, r3}
    adds r5, r5, r3
    cmp r5, r2
    ble 9f
    movs r5, r2
9:  mov r2, r11
    cmp r5, r2
    bge 9f
    movs r5, r2
9:  movs \sum, r5
    mov r1, r12
    adds r1, #\next
    b 5\label\()b
.endm

.macro PAIR first, second
    ENTER tk_pair_\first\()_\second
    mov r12, r0
    adds r0, #64
    ldm r0!, {r1, r2, r3, r4, r5}
    mov r10, r1
    movs r0, r4
    lsls r5, r5, #2
    movs r2, #31
    ands r2, r5
    mov lr, r2
    subs r5, r5, r2
    mov r9, r5
    mov r1, r12
    ldr r1, [r1, #12]
    mov r11, r1
10: mov r1, r12
    ldm r1, {r1, r6, r7}
    mov r2, r9
    adds r2, r2, r0
    mov r8, r2
    cmp r0, r8
    beq 2f
1:  STEP \first, \second
    STEP \first, \second
    STEP \first, \second
    STEP \first, \second
    cmp r0, r8
    bne 1b
2:  mov r2, lr
    adds r2, r2, r0
    cmp r2, r0
    beq 4f
    mov r8, r2
3:  STEP \first, \second
    cmp r0, r8
    bne 3b
4:  mov r1, r12
    adds r1, #16
    RESCALE r6, 0
    RESCALE r7, 1
    mov r3, r10
    strb r6, [r3]
    strb r7, [r3, #1]
    mov r2, r12
    adds r2, #68
    ldm r2!, {r4, r5}
    adds r3, r3, r4
    mov r10, r3
    cmp r3, r5
    beq 9f
    b 10b
9:  LEAVE
    UNDECIDED r6, 0, 84, 40
    UNDECIDED r7, 1, 100, 64
.endm

PAIR 2, 2
PAIR 2, 4
PAIR 4, 2
PAIR 4, 4
#endif
