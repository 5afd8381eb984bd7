#if defined(__ARM_ARCH_6M__)
@ tk_dot_rows of ../packed.h: outputs of a fully connected layer, each weight read once. The plain twin is in ../packed.c.
@
@ What it saves: a product takes 3.8 cycles, 5 where only two can be added at a time; gcc has 8 to 10. Of four weights
@ with 128 added, the word as it is serves as the lanes (u0, u2): what the other two add to its product with the inputs,
@ 256 times theirs, was taken off the inputs that these are multiplied with. So only one of the two words of lanes has
@ to be masked, and what 128 times the inputs amount to is one subtraction for four taps. All of that is exact modulo
@ 2^32; what remains, the sum of four products, fits 16 bits for a channel whose weights allow four taps at a time.
@
@ Registers
@   r0 inputs: three words for four taps    r1 weights    r2 - r6 words    r7 sum
@   r8 groups    r9 0x00ff00ff    r10 end of the loop    r11 struct tk_rows
@   r12 -0x00800080

.syntax unified
.cpu cortex-m0plus
.thumb
#include "rescale.inc"

@ Eight taps.
.macro STEP
    ldm r1!, {r2, r3}
    mov r6, r9
    lsrs r4, r2, #8
    ands r4, r6
    lsrs r5, r3, #8
    ands r5, r6
    ldm r0!, {r6}
    muls r2, r6
    ldm r0!, {r6}
    muls r4, r6
    adds r2, r2, r4
    ldm r0!, {r4, r6}
    subs r2, r2, r4
    asrs r2, r2, #16
    adcs r7, r2
    muls r3, r6
    ldm r0!, {r2, r4}
    muls r5, r2
    adds r3, r3, r5
    subs r3, r3, r4
    asrs r3, r3, #16
    adcs r7, r3
.endm

@ Four taps, two at a time: for channels with larger weights. Both words of lanes are made, and 128 taken off.
.macro STEP_2
    ldm r1!, {r2}
    mov r6, r9
    lsrs r3, r2, #8
    ands r3, r6
    ands r2, r6
    add r2, r12
    add r3, r12
    ldm r0!, {r4, r5, r6}
    muls r2, r4
    lsls r4, r4, #8
    adds r4, r4, r5
    muls r3, r4
    asrs r2, r2, #16
    adcs r7, r2
    asrs r3, r3, #16
    adcs r7, r3
.endm

    ENTER tk_dot_rows
    mov r11, r0
    ldr r4, =0x00ff00ff
    mov r9, r4
    ldr r4, =-0x00800080
    mov r12, r4
    ldr r1, [r0, #4]
10: mov r2, r11
    ldm r2!, {r0}
    ldr r2, [r2, #4]
    movs r7, #0
    mov r3, r11
    ldr r3, [r3, #52]
    cmp r3, #4
    beq 24f
    b 20f
24:
    lsls r3, r2, #31
    bpl 1f
    @ An odd group first.
    ldm r1!, {r3}
    mov r6, r9
    lsrs r5, r3, #8
    ands r5, r6
    ldm r0!, {r6}
    muls r3, r6
    ldm r0!, {r4, r6}
    muls r5, r4
    adds r3, r3, r5
    subs r3, r3, r6
    asrs r3, r3, #16
    adcs r7, r3
    subs r2, #1
1:  lsls r3, r2, #2
    adds r3, r3, r1
    mov r10, r3
    mov r8, r2
    lsls r2, r2, #30
    bpl 2f
    STEP
2:  mov r2, r8
    lsls r2, r2, #29
    bpl 14f
    STEP
    STEP
14: cmp r1, r10
    beq 4f
3:  STEP
    STEP
    STEP
    STEP
    cmp r1, r10
    bne 3b
    @ The sum is there: its channel's constants, and what tk_rescaling_of makes of them.
4:  mov r0, r11
    ldr r2, [r0, #12]
    ldm r2!, {r3}
    str r2, [r0, #12]
    adds r7, r7, r3
    ldr r2, [r0, #16]
    ldm r2!, {r3}                   @ the multiplier
    str r2, [r0, #16]
    ldr r2, [r0, #20]
    ldm r2!, {r4}                   @ shift, packing, fraction, edge
    str r2, [r0, #20]
    lsls r5, r4, #20
    lsrs r5, r5, #28                @ bits dropped
    lsls r6, r4, #8
    lsrs r6, r6, #24                @ fraction
    sxtb r2, r4
    adds r2, r2, r5
    adds r2, r2, r6
    negs r2, r2
    adds r2, #30
    lsrs r3, r2
    adds r3, #1
    lsrs r3, r3, #1                 @ the short multiplier
    movs r2, r7
    asrs r2, r5
    muls r2, r3
    cmp r5, #0
    beq 5f
    lsrs r3, r3, #1
    adds r2, r2, r3
5:  lsrs r3, r4, #24
    lsls r3, r6
    lsrs r3, r3, #9
    adds r2, r2, r3
    ldr r3, [r0, #44]
    lsls r3, r6
    lsrs r3, r3, #1
    adds r2, r2, r3
    bmi 6f
    ldr r3, [r0, #48]
    lsls r3, r6
    cmp r2, r3
    bhs 7f
    rors r2, r6
    lsrs r4, r4, #24
    lsls r4, r4, #24
    cmp r2, r4
    blo 8f
    ldr r3, [r0, #32]
    adds r2, r2, r3
9:  ldr r3, [r0, #24]
    strb r2, [r3]
    adds r3, #1
    str r3, [r0, #24]
    ldr r3, [r0, #28]
    subs r3, #1
    str r3, [r0, #28]
    beq 11f
    b 10b
11: LEAVE
6:  ldr r2, [r0, #32]
    b 9b
7:  ldr r2, [r0, #36]
    b 9b
8:  push {r1}
    sub sp, #16
    ldr r2, [r0, #16]
    subs r2, #4
    ldr r3, [r2]
    uxth r4, r3
    str r4, [sp]
    asrs r3, r3, #16
    str r3, [sp, #4]
    ldr r2, [r0, #20]
    subs r2, #4
    movs r3, #0
    ldrsb r3, [r2, r3]
    negs r3, r3
    subs r5, r3, #1
    movs r4, #1
    lsls r4, r5
    str r4, [sp, #8]
    str r3, [sp, #12]
    mov r1, sp
    EXACT r7
    add sp, #16
    pop {r1}
    ldr r2, [r0, #40]
    adds r2, r2, r5
    ldr r3, [r0, #32]
    cmp r2, r3
    bge 12f
    movs r2, r3
12: ldr r3, [r0, #36]
    cmp r2, r3
    ble 13f
    movs r2, r3
13: b 9b
20: lsls r3, r2, #2
    adds r3, r3, r1
    mov r10, r3
    lsls r3, r2, #31
    bpl 21f
    STEP_2
21: cmp r1, r10
    beq 23f
22: STEP_2
    STEP_2
    cmp r1, r10
    bne 22b
23: b 4b
.ltorg
#endif
