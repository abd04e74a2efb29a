/* Speaks many sentences with flite and tells when each word and phone is said.
 *
 *   flite_batch SAMPLES < jobs       a job a line: voice TAB stretch TAB mean pitch in Hz TAB text
 *
 * SAMPLES receives the 16-bit samples of all jobs; standard output one line a job:
 * "rate samples | word begin:end ... | phone:end ..." with times in seconds, -1 for a word that has no sound.
 *
 *   gcc -O2 flite_batch.c -o flite_batch -lflite_cmu_us_slt -lflite_cmu_us_rms -lflite_cmu_us_awb -lflite_cmu_us_kal16 \
 *       -lflite_cmu_us_kal -lflite_usenglish -lflite_cmulex -lflite -lm
 */
#include <flite/flite.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cst_voice *register_cmu_us_slt(const char *);
cst_voice *register_cmu_us_rms(const char *);
cst_voice *register_cmu_us_awb(const char *);
cst_voice *register_cmu_us_kal16(const char *);
cst_voice *register_cmu_us_kal(const char *);

static void print_words(cst_utterance *utterance) {
    for (cst_item *token = relation_head(utt_relation(utterance, "Token")); token; token = item_next(token)) {
        float begin = -1, end = -1;
        for (cst_item *word = item_daughter(token); word; word = item_next(word)) {
            cst_item *structure = item_as(word, "SylStructure");
            if (!structure)
                continue;
            for (cst_item *syllable = item_daughter(structure); syllable; syllable = item_next(syllable)) {
                for (cst_item *part = item_daughter(syllable); part; part = item_next(part)) {
                    cst_item *segment = item_as(part, "Segment"), *before = item_prev(segment);
                    if (begin < 0)
                        begin = before ? item_feat_float(before, "end") : 0;
                    end = item_feat_float(segment, "end");
                }
            }
        }
        printf(" %.3f:%.3f", begin, end);
    }
}

int main(int count, char **arguments) {
    static char line[8192];
    FILE *samples = count > 1 ? fopen(arguments[1], "wb") : NULL;
    if (!samples) {
        fprintf(stderr, "flite_batch: give a file to write the samples to\n");
        return 2;
    }
    flite_init();
    const char *names[] = {"slt", "rms", "awb", "kal16", "kal"};
    cst_voice *voices[] = {register_cmu_us_slt(0), register_cmu_us_rms(0), register_cmu_us_awb(0),
                           register_cmu_us_kal16(0), register_cmu_us_kal(0)};
    while (fgets(line, sizeof line, stdin)) {
        char *name = strtok(line, "\t"), *stretch = strtok(0, "\t"), *pitch = strtok(0, "\t"), *text = strtok(0, "\n");
        cst_voice *voice = NULL;
        for (int index = 0; text && index < 5; index++)
            if (!strcmp(name, names[index]))
                voice = voices[index];
        if (!voice) {
            fprintf(stderr, "flite_batch: not a job: %s\n", line);
            return 2;
        }
        feat_set_float(voice->features, "duration_stretch", atof(stretch));
        feat_set_float(voice->features, "int_f0_target_mean", atof(pitch));
        cst_utterance *utterance = flite_synth_text(text, voice);
        cst_wave *wave = utt_wave(utterance);
        fwrite(wave->samples, 2, wave->num_samples, samples);
        printf("%d %d |", wave->sample_rate, wave->num_samples);
        print_words(utterance);
        printf(" |");
        for (cst_item *part = relation_head(utt_relation(utterance, "Segment")); part; part = item_next(part))
            printf(" %s:%.3f", item_feat_string(part, "name"), item_feat_float(part, "end"));
        printf("\n");
        delete_utterance(utterance);
    }
    fclose(samples);
    return 0;
}
