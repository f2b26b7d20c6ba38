#include "foreign_flags.hpp"

#include <fmt/core.h>
#include <string_view>

namespace pillar::arguments {

namespace {

struct ForeignFlag {
    std::string_view names; ///< separated by blanks
    std::string_view there;
    std::string_view here;
};

constexpr std::string_view no_gpu = "pillar computes on CPUs alone: leave it out";
constexpr std::string_view of_template = "the chat template writes it (pillar chat): leave it out";
constexpr std::string_view no_server = "pillar answers one prompt a run: leave it out";
constexpr std::string_view own_draft =
    "give --draft FILE.gguf:N, or --draft ngram:N, which proposes from the text itself";
constexpr std::string_view no_such_sampler = "pillar has no such sampler: leave it out";
constexpr std::string_view always_read = "every rank reads its own slice into memory: leave it out";
constexpr std::string_view own_threads = "give -t, and bind ranks to cores with the launcher";
constexpr std::string_view from_file = "fetch the GGUF file and give it with -m";

constexpr ForeignFlag table[] = {
    {"-ngl --n-gpu-layers --gpu-layers", "is the number of layers on a GPU", no_gpu},
    {"-sm --split-mode", "is how a model is shared among GPUs",
     "ranks share it with --split, by layers' parts: leave it out"},
    {"-ts --tensor-split", "is each GPU's share of a model", "give each rank's with --split"},
    {"-mg --main-gpu", "is the GPU to use", no_gpu},
    {"-dev --device --list-devices", "chooses GPUs", no_gpu},
    {"--kl-divergence", "compares with a base model", "--kl-divergence-base FILE.h5 alone does"},
    {"--save-all-logits", "is where the logits of a text go", "here that is --save-logits FILE.h5"},
    {"--in-file", "is an importance matrix to go on from",
     "the one of -o is gone on with: name it there"},
    {"-ofreq -sf --save-frequency", "is how often an importance matrix is written",
     "--output-frequency N writes it every N windows"},
    {"-fa --flash-attn", "turns on flash attention",
     "attention here never writes its scores to memory anyway: leave it out"},
    {"-nkvo --no-kv-offload", "keeps the KV cache off the GPU", no_gpu},
    {"-nopo --no-op-offload", "keeps operations off the GPU", no_gpu},
    {"-ot --override-tensor -cmoe --cpu-moe -ncmoe --n-cpu-moe", "says where tensors are kept",
     no_gpu},
    {"-ctk", "is the type of the keys in the cache", "give --cache-type-k"},
    {"-ctv", "is the type of the values in the cache", "give --cache-type-v"},
    {"-ub --ubatch-size", "is the number of prompt tokens computed at once",
     "here that is -b, --batch-size"},
    {"-tb --threads-batch", "is the number of threads for prompts",
     "prompts have the same as tokens: -t, --threads"},
    {"-C --cpu-mask -Cr --cpu-range --cpu-strict -Cb --cpu-mask-batch -Crb --cpu-range-batch "
     "--cpu-strict-batch",
     "binds threads to cores", own_threads},
    {"--prio --prio-batch --poll --poll-batch", "is how threads are scheduled and wait",
     own_threads},
    {"--numa", "places threads on NUMA nodes", "start one rank a NUMA node instead"},
    {"--mlock", "keeps the model from being swapped out", always_read},
    {"--no-mmap --mmap -mmp", "is whether the model is mapped into memory", always_read},
    {"-rpc --rpc", "names the other machines", "start one rank on each: mpirun or jobs/launch.sh"},
    {"-cnv --conversation -no-cnv --no-conversation -st --single-turn",
     "is whether to talk with the model turn by turn",
     "pillar chat does so, pillar run completes one text: leave it out"},
    {"-sys --system-prompt -sysf --system-prompt-file", "is the system prompt of a conversation",
     "give it to pillar chat with --system TEXT"},
    {"--chat-template --chat-template-file --jinja --no-jinja --chat-template-kwargs",
     "is the template of a conversation",
     "pillar chat and batch know templates by name: --chat-template NAME"},
    {"-i --interactive -if --interactive-first -ins --instruct -mli --multiline-input",
     "lets you answer the model", "pillar chat does so: leave it out"},
    {"--in-prefix --in-suffix --in-prefix-bos", "is put around your answers", of_template},
    {"--reasoning-format --reasoning-budget", "is about a model's thoughts", of_template},
    {"-r --reverse-prompt", "is a text at which the model stops", "give --stop TEXT"},
    {"-e", "turns on escapes in the prompt", "they are on: leave it out (--no-escape)"},
    {"-co --color", "colours the prompt", "leave it out"},
    {"--simple-io --no-perf --perf --log-disable", "is about what is printed beside the text",
     "all but the text goes to stderr; -q keeps most of it away"},
    {"-v --verbose --log-verbose -lv --verbosity --log-verbosity --log-file --log-colors "
     "--log-prefix --log-timestamps",
     "is about logging", "stderr has all there is: send it to a file with 2> FILE"},
    {"--verbose-prompt", "prints the prompt's tokens", "`pillar tokenize` prints them"},
    {"-sp --special", "prints special tokens", "leave it out"},
    {"-ptc --print-token-count", "prints the number of tokens", "the last lines on stderr have it"},
    {"-bf --binary-file", "is a file with the prompt", "-f takes it as it is"},
    {"-hf -hfr --hf-repo -hff --hf-file -hft --hf-token -hfv --hf-repo-v", "fetches a model",
     from_file},
    {"-mu --model-url -dr --docker-repo", "fetches a model", from_file},
    {"-mm --mmproj -mmu --mmproj-url --image --audio", "is about pictures and sound",
     "pillar reads text alone"},
    {"--lora --lora-scaled --control-vector --control-vector-scaled", "changes the model's weights",
     "merge it into the model and convert that"},
    {"--override-kv", "changes the model's metadata", "change the file itself"},
    {"-a --alias", "names the model in answers", no_server},
    {"-np --parallel -ns --sequences", "is the number of requests at once", no_server},
    {"-cb --cont-batching -nocb --no-cont-batching", "mixes requests in a batch", no_server},
    {"--host --port --api-key --path", "is about a server", no_server},
    {"-md --model-draft --draft-max --draft-min --draft-n", "is about a draft model", own_draft},
    {"--keep", "is what stays when the context is full",
     "generation ends then: give a larger --ctx-size"},
    {"--context-shift --no-context-shift", "is what happens when the context is full",
     "generation ends then: give a larger --ctx-size"},
    {"--prompt-cache-all --prompt-cache-ro", "says what of a KV cache is kept in a file",
     "--prompt-cache FILE keeps what the prompt computes"},
    {"-dt --defrag-thold", "tidies the KV cache", "leave it out"},
    {"--swa-full", "is about the cache of sliding windows", "leave it out"},
    {"--no-warmup --warmup", "is whether to run the model once before",
     "only bench does that: leave it out"},
    {"--rope-scaling --rope-scale --rope-freq-base --rope-freq-scale --yarn-orig-ctx "
     "--yarn-ext-factor --yarn-attn-factor --yarn-beta-slow --yarn-beta-fast",
     "changes the scaling of positions", "it is taken from the model's metadata: leave it out"},
    {"--grammar --grammar-file -j --json-schema -jf --json-schema-file", "constrains the answer",
     "pillar has no grammars: leave it out"},
    {"--samplers --sampling-seq --sampler-seq", "is the order of samplers",
     "it is fixed: penalties, top-k, top-p, min-p, temperature"},
    {"--typical --top-nsigma --top-n-sigma --xtc-probability --xtc-threshold --dynatemp-range "
     "--dynatemp-exp --mirostat --mirostat-lr --mirostat-ent --dry-multiplier --dry-base "
     "--dry-allowed-length --dry-penalty-last-n --dry-sequence-breaker --tfs -l --logit-bias",
     "is about a sampler", no_such_sampler},
    {"-pps -npp -ntg -npl", "is a length in llama-batched-bench", "bench has -p, -n and -d"},
    {"-pg", "is a prompt and a generation in one test", "here that is --prompt-gen PROMPT,GEN"},
    {"-oe --output-err", "is a second output", "send stderr to a file with 2> FILE"},
    {"-embd --embeddings --embedding --pooling --reranking", "is about embeddings",
     "pillar generates text alone"},
    {"--delay --progress -rtr", "is about the pauses and words between tests", "leave it out"},
    {"-ppl --perplexity --hellaswag --winogrande --multiple-choice --kl-divergence",
     "measures a model's quality", "`pillar logits` writes what it takes"},
    {"--stdin --no-stdin", "is about reading the text from standard input",
     "give neither -p nor -f, or -f -"},
};

bool holds(std::string_view names, std::string_view name) {
    while (!names.empty()) {
        const std::size_t end = names.find(' ');
        if (names.substr(0, end) == name) return true;
        if (end == std::string_view::npos) return false;
        names.remove_prefix(end + 1);
    }
    return false;
}

} // namespace

std::string about_foreign_flag(std::string_view name) {
    for (const ForeignFlag& flag : table)
        if (holds(flag.names, name))
            return fmt::format("{} in llama.cpp; {}", flag.there, flag.here);
    return {};
}

} // namespace pillar::arguments
