using System.CommandLine;
using Examples;
using ImageSearch;

// Finds the images of a folder that are most like one: ImageSearch index --images DIR --encoder FILE, then ImageSearch query FILE.
var index = new Option<DirectoryInfo>("--index")
{
    Description = "Where the embeddings are kept.", DefaultValueFactory = _ => new DirectoryInfo("runs/search"),
};
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." };

var images = new Option<DirectoryInfo>("--images") { Description = "A folder of images, at any depth.", Required = true };
var encoder = new Option<FileInfo>("--encoder")
{
    Description = "An encoder, as PretrainOnYourPhotos writes it: encoder.safetensors.", Required = true,
};
var indexCommand = new Command("index", "Embeds the images of a folder, once.") { images, encoder, index, gpu };
indexCommand.SetAction((parsed, cancellation) => Outcome.Of(() =>
    Search.Index(parsed.GetValue(images)!, parsed.GetValue(encoder)!, parsed.GetValue(index)!, parsed.GetValue(gpu), cancellation)));

var asked = new Argument<FileInfo[]>("images") { Description = "The images asked about.", Arity = ArgumentArity.OneOrMore };
var count = new Option<int>("--count") { Description = "How many to find.", DefaultValueFactory = _ => 12 };
var page = new Option<FileInfo>("--out")
{
    Description = "The page of results.", DefaultValueFactory = _ => new FileInfo("runs/search/results.html"),
};
count.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() < 1) result.AddError("--count must be at least 1.");
});
var queryCommand = new Command("query", "Finds the images that are most like those asked about.") { asked, index, count, page, gpu };
queryCommand.SetAction((parsed, cancellation) => Outcome.Of(() =>
    Search.Query(parsed.GetValue(asked)!, parsed.GetValue(index)!, parsed.GetValue(count), parsed.GetValue(page)!, parsed.GetValue(gpu), cancellation)));

return await Outcome.Of(new RootCommand("Finds images by likeness.") { indexCommand, queryCommand }, args);
