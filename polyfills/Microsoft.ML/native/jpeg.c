/* JPEG by libjpeg-turbo's original interface: unlike TurboJPEG's, it tells how many rows of a truncated file are there. */
#include "images.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

typedef struct {
    struct jpeg_error_mgr base; /* first: libjpeg knows only this part */
    jmp_buf exit;
} error_manager;

static void on_error(j_common_ptr info) {
    longjmp(((error_manager *)info->err)->exit, 1);
}

static void on_message(j_common_ptr info) {
    (void)info; /* nothing to the console */
}

static struct jpeg_error_mgr *quiet_errors(error_manager *errors) {
    jpeg_std_error(&errors->base);
    errors->base.error_exit = on_error;
    errors->base.output_message = on_message;
    return &errors->base;
}

/* The whole file is in the buffer. Where it ends too early the decoder is suspended, so that the rows so far can be kept. */
static void source_start_or_end(j_decompress_ptr info) {
    (void)info;
}

static boolean source_fill(j_decompress_ptr info) {
    (void)info;
    return FALSE;
}

static void source_skip(j_decompress_ptr info, long count) {
    size_t skipped = count <= 0 ? 0 : (size_t)count;
    if (skipped > info->src->bytes_in_buffer)
        skipped = info->src->bytes_in_buffer;
    info->src->next_input_byte += skipped;
    info->src->bytes_in_buffer -= skipped;
}

static void source_term(j_decompress_ptr info) {
    (void)info;
}

static void set_source(j_decompress_ptr info, struct jpeg_source_mgr *source, const uint8_t *data, size_t size) {
    source->init_source = source_start_or_end;
    source->fill_input_buffer = source_fill;
    source->skip_input_data = source_skip;
    source->resync_to_restart = jpeg_resync_to_restart;
    source->term_source = source_term;
    source->next_input_byte = data;
    source->bytes_in_buffer = size;
    info->src = source;
}

int jpeg_header(const uint8_t *data, size_t size, smae_image_header *header) {
    struct jpeg_decompress_struct info = {0};
    struct jpeg_source_mgr source;
    error_manager errors;
    info.err = quiet_errors(&errors);
    if (setjmp(errors.exit)) {
        jpeg_destroy_decompress(&info);
        return 0;
    }
    jpeg_create_decompress(&info);
    set_source(&info, &source, data, size);
    int ok = jpeg_read_header(&info, TRUE) == JPEG_HEADER_OK;
    header->width = (int32_t)info.image_width;
    header->height = (int32_t)info.image_height;
    header->opaque = 1;
    jpeg_destroy_decompress(&info);
    return ok;
}

/* Four inks as Adobe stores them, inverted, over the four bytes of each pixel. */
static void cmyk_to_bgra(uint8_t *row, JDIMENSION width) {
    for (JDIMENSION x = 0; x < width; x++, row += 4) {
        uint8_t cyan = row[0], magenta = row[1], yellow = row[2], black = row[3];
        row[0] = multiply_255(yellow, black);
        row[1] = multiply_255(magenta, black);
        row[2] = multiply_255(cyan, black);
        row[3] = 255;
    }
}

int jpeg_decode(const uint8_t *data, size_t size, const smae_image_header *header, uint8_t *pixels) {
    struct jpeg_decompress_struct info = {0};
    struct jpeg_source_mgr source;
    error_manager errors;
    volatile int started = 0; /* once rows come, an error costs only the rows after it */
    info.err = quiet_errors(&errors);
    if (setjmp(errors.exit)) {
        jpeg_destroy_decompress(&info);
        return started;
    }
    jpeg_create_decompress(&info);
    set_source(&info, &source, data, size);
    int ok = jpeg_read_header(&info, TRUE) == JPEG_HEADER_OK && (int32_t)info.image_width == header->width &&
             (int32_t)info.image_height == header->height;
    if (ok) {
        int cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
        info.out_color_space = cmyk ? JCS_CMYK : JCS_EXT_BGRA;
        ok = jpeg_start_decompress(&info); /* a truncated progressive file ends here */
        started = ok;
        while (ok && info.output_scanline < info.output_height) {
            JSAMPROW row = pixels + (size_t)info.output_scanline * info.output_width * 4;
            if (jpeg_read_scanlines(&info, &row, 1) == 0)
                break;
            if (cmyk)
                cmyk_to_bgra(row, info.output_width);
        }
    }
    jpeg_destroy_decompress(&info);
    return ok;
}

uint8_t *smae_image_encode_jpeg(const uint8_t *pixels, int bgra, int width, int height, int quality, size_t *size) {
    struct jpeg_compress_struct info = {0};
    error_manager errors;
    unsigned char *memory = NULL;
    unsigned long length = 0;
    info.err = quiet_errors(&errors);
    if (setjmp(errors.exit)) {
        jpeg_destroy_compress(&info);
        free(memory);
        return NULL;
    }
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &memory, &length);
    info.image_width = (JDIMENSION)width;
    info.image_height = (JDIMENSION)height;
    info.input_components = 4;
    info.in_color_space = bgra ? JCS_EXT_BGRX : JCS_EXT_RGBX;
    jpeg_set_defaults(&info); /* chroma halved both ways, as Skia does */
    jpeg_set_quality(&info, quality, TRUE);
    info.optimize_coding = TRUE;
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
        JSAMPROW row = (JSAMPROW)(pixels + (size_t)info.next_scanline * (size_t)width * 4);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    *size = length;
    return memory;
}
