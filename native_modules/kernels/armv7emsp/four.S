#if defined(__ARM_FEATURE_DSP)
/* tk_four_3x3: four channels of a depthwise convolution with 3 x 3 taps (dsp.h). A tap is a load of four channels' inputs,
 * one of their weights, two SXTB16 and four products. */
.syntax unified
.thumb
.text

/* struct tk_four */
.equ ROW_BYTES, 4
.equ STEP_BYTES, 8
.equ NEXT_ROW_BYTES, 12
.equ OUTPUT, 16
.equ OUTPUT_STEP, 20
.equ COLUMNS, 24
.equ ROWS, 28
.equ LOW, 32
.equ BIAS, 40
.equ WEIGHTS, 56
.equ RESCALING, 128

.macro tap row, column, index
    ldr r9, [\row, #4 * \column]
    ldrd r10, r11, [r0, #WEIGHTS + 8 * \index]
    sxtb16 r8, r9
    sxtb16 r9, r9, ror #8
    smlabb r4, r8, r10, r4
    smlabb r5, r9, r11, r5
    smlatt r6, r8, r10, r6
    smlatt r7, r9, r11, r7
.endm

/* tk_rescaled and tk_clamped. */
.macro rescale sum, index
    ldrd r8, r9, [r0, #RESCALING + 12 * \index]
    ldr r10, [r0, #RESCALING + 12 * \index + 8]
    lsls \sum, \sum, #1
    smmulr \sum, \sum, r8
    add r9, r9, \sum, asr #31
    add \sum, \sum, r9
    asr \sum, \sum, r10
    ssat \sum, #8, \sum
.endm

.macro limit sum
    cmp \sum, r8
    it lt
    movlt \sum, r8
    cmp \sum, r9
    it gt
    movgt \sum, r9
.endm

.global tk_four_3x3
.thumb_func
tk_four_3x3:
    push {r4-r11, lr}
    ldr r1, [r0]
    ldr r12, [r0, #OUTPUT]
    ldr r4, [r0, #ROW_BYTES]
    adds r2, r1, r4
    adds r3, r2, r4
row:
    ldr lr, [r0, #COLUMNS]
column:
    ldrd r4, r5, [r0, #BIAS]
    ldrd r6, r7, [r0, #BIAS + 8]
    tap r1, 0, 0
    tap r1, 1, 1
    tap r1, 2, 2
    tap r2, 0, 3
    tap r2, 1, 4
    tap r2, 2, 5
    tap r3, 0, 6
    tap r3, 1, 7
    tap r3, 2, 8
    rescale r4, 0
    rescale r5, 1
    rescale r6, 2
    rescale r7, 3
    ldrd r8, r9, [r0, #LOW]
    sub r10, r9, r8
    cmp r10, #255
    bne limited
store:
    strb r4, [r12]
    strb r5, [r12, #1]
    strb r6, [r12, #2]
    strb r7, [r12, #3]
    ldr r8, [r0, #STEP_BYTES]
    ldr r9, [r0, #OUTPUT_STEP]
    add r1, r8
    add r2, r8
    add r3, r8
    add r12, r9
    subs lr, #1
    bne column
    ldr r8, [r0, #NEXT_ROW_BYTES]
    ldr r9, [r0, #ROWS]
    add r1, r8
    add r2, r8
    add r3, r8
    subs r9, #1
    str r9, [r0, #ROWS]
    bne row
    pop {r4-r11, pc}

limited:
    limit r4
    limit r5
    limit r6
    limit r7
    b store
#endif
