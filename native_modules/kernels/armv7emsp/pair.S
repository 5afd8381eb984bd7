#if defined(__ARM_FEATURE_DSP)
/* tk_pair_*: two output channels over a run of positions (packed.h), two positions at a time.
 *
 * A group of four taps is eight SMLAD, one load of both channels' weights and one of each position's inputs. With an odd
 * number of positions the last but one is computed again; a single one is computed twice. */
.syntax unified
.thumb
.text

/* struct tk_pair */
.equ BIAS, 4
.equ LOW, 12
.equ RESCALING, 16
.equ OUTPUT, 40
.equ STRIDE, 44
.equ OUTPUT_END, 48
.equ INPUTS, 52
.equ INPUT_WORDS, 56
.equ HIGH, 64

/* The frame. */
.equ PAIR, 0
.equ AT, 4
.equ ROW_BYTES, 8
.equ WEIGHTS_END, 12
.equ TO, 16
.equ TO_END, 20
.equ TO_STEP, 24
.equ FRAME, 28

/* Weights r0, inputs r1 and r2; sums r4 and r5 of the first position, r6 and r7 of the second. */
.macro group
    ldmia r0!, {r8, r9, r10, r11}
    ldrd r12, lr, [r1], #8
    smlad r4, r12, r8, r4
    smlad r5, r12, r10, r5
    smlad r4, lr, r9, r4
    smlad r5, lr, r11, r5
    ldrd r12, lr, [r2], #8
    smlad r6, r12, r8, r6
    smlad r7, r12, r10, r7
    smlad r6, lr, r9, r6
    smlad r7, lr, r11, r7
.endm

/* tk_rescaled and tk_clamped with the multiplier in r8, the addend in r9 and the shift in r10. */
.macro rescale sum
    lsls \sum, \sum, #1
    smmulr \sum, \sum, r8
    add r12, r9, \sum, asr #31
    add \sum, \sum, r12
    asr \sum, \sum, r10
    ssat \sum, #8, \sum
.endm

/* With the clamp's ends in r11 and lr. */
.macro limit sum
    cmp \sum, r11
    it lt
    movlt \sum, r11
    cmp \sum, lr
    it gt
    movgt \sum, lr
.endm

.global tk_pair_2_2
.global tk_pair_2_4
.global tk_pair_4_2
.global tk_pair_4_4
.thumb_func
tk_pair_2_2:
.thumb_func
tk_pair_2_4:
.thumb_func
tk_pair_4_2:
.thumb_func
tk_pair_4_4:
    push {r4-r11, lr}
    sub sp, #FRAME
    ldr r1, [r0, #INPUTS]
    ldr r2, [r0, #INPUT_WORDS]
    ldr r3, [r0]
    add r3, r3, r2, lsl #3
    lsls r2, r2, #2
    ldr r4, [r0, #OUTPUT]
    ldrd r6, r5, [r0, #STRIDE]
    adds r7, r4, r6
    cmp r7, r5
    itttt eq
    moveq r2, #0
    moveq r6, #0
    moveq r5, r4
    subeq r5, #1
    stmia sp, {r0-r6}

tile:
    ldr r0, [sp, #PAIR]
    add r3, sp, #AT
    ldmia r3, {r1, r2, r3}
    add r2, r1
    ldrd r4, r5, [r0, #BIAS]
    ldr r0, [r0]
    mov r6, r4
    mov r7, r5
    subs r8, r3, r0
    tst r8, #16
    bne odd
even:
    group
odd:
    group
    cmp r0, r3
    bne even

    str r2, [sp, #AT]
    ldr r0, [sp, #PAIR]
    add r1, r0, #RESCALING
    ldmia r1!, {r8, r9, r10}
    rescale r4
    rescale r6
    ldmia r1, {r8, r9, r10}
    rescale r5
    rescale r7
    ldr r11, [r0, #LOW]
    ldr lr, [r0, #HIGH]
    subs r3, lr, r11
    cmp r3, #255
    bne limited
store:
    add r3, sp, #TO
    ldmia r3, {r1, r2, r3}
    strb r4, [r1]
    strb r5, [r1, #1]
    add r1, r3
    strb r6, [r1]
    strb r7, [r1, #1]
    add r1, r3
    str r1, [sp, #TO]
    adds r0, r1, r3
    cmp r0, r2
    blo tile
    bne done
    /* One position is left: once more with the one before. */
    ldrd r0, r2, [sp, #AT]
    subs r0, r2
    subs r1, r3
    str r0, [sp, #AT]
    str r1, [sp, #TO]
    b tile

limited:
    limit r4
    limit r5
    limit r6
    limit r7
    b store

done:
    add sp, #FRAME
    pop {r4-r11, pc}
#endif
